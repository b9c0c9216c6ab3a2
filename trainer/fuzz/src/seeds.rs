//! The files of the tests as the first inputs of a target.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use crate::archive::members;

/// The folder, in the environment, into which a target writes its seeds when it starts.
const FOLDER: &str = "ERNN_FUZZ_SEEDS";

/// Writes the files below `folder` of the trainer with this extension, also those in archives, as seeds. They
/// are written only if the environment names a folder for them.
///
/// # Panics
/// If the folder cannot be written, or there is no such file.
pub fn write(folder: &str, extension: &str) {
    let Some(out) = self::folder() else { return };
    let below = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let mut number = 0;
    for (name, bytes) in files(&below) {
        if Path::new(&name).extension() == Some(OsStr::new(extension)) {
            fs::write(out.join(format!("{number:04}.{extension}")), bytes).expect("a seed");
            number += 1;
        }
    }
    assert!(number > 0, "no .{extension} below {}", below.display());
}

/// Returns the folder for seeds, if the environment names one.
///
/// # Panics
/// If it cannot be made.
pub fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os(FOLDER).map(PathBuf::from)?;
    fs::create_dir_all(&folder).expect("the folder of the seeds");
    Some(folder)
}

/// Returns all files below a folder, and the members of the archives among them.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.display().to_string();
        if path.is_dir() {
            found.extend(files(&path));
        } else if name.ends_with(".zip.gz") || name.ends_with(".zip") {
            found.extend(members(&unzipped(&path)).unwrap_or_default());
        } else {
            found.push((name, fs::read(path).unwrap_or_default()));
        }
    }
    found
}

/// Returns the bytes of a file, without the compression of `.gz`.
fn unzipped(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap_or_default();
    let mut unzipped = Vec::new();
    match GzDecoder::new(&bytes[..]).read_to_end(&mut unzipped) {
        Ok(_) => unzipped,
        Err(_) => bytes,
    }
}
