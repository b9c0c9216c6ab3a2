//! Atomic writes of files: each file is written under a temporary name and renamed, so that a reader finds
//! either the old or the new file.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::Builder;

const SUFFIX: &str = ".tmp";

/// Returns the prefix of the temporary names of `path`: hidden files that name the final file.
fn prefix(path: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    prefix
}

/// Removes the temporary files that a killed program left behind. Only the program that writes `path` may
/// call it.
pub fn remove_leftovers(path: &Path) -> io::Result<()> {
    let prefix = prefix(path);
    for entry in std::fs::read_dir(path.parent().unwrap_or(Path::new(".")))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.starts_with(prefix.as_encoded_bytes()) && name.ends_with(SUFFIX.as_bytes()) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Writes `path` through `write`, and returns once the data is on the disk.
pub fn write_atomically(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let place = || format!("{}: not written", path.display());
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let prefix = prefix(path);
    let mut builder = builder();
    // The error of tempfile contains the temporary name, which the user does not know.
    let created = builder.prefix(&prefix).suffix(SUFFIX).tempfile_in(folder);
    let mut temporary = created.map_err(|error| io::Error::from(error.kind())).with_context(place)?;
    let mut buffered = BufWriter::new(temporary.as_file_mut());
    write(&mut buffered).and_then(|()| buffered.flush()).with_context(place)?;
    drop(buffered);
    temporary.as_file().sync_all().with_context(place)?;
    temporary.persist(path).map_err(|error| error.error).with_context(place)?;
    sync_folder(folder).with_context(place)
}

/// Creates files with the permissions of any other file, which the umask reduces, not readable by the owner
/// only.
#[cfg(unix)]
fn builder<'a>() -> Builder<'a, 'static> {
    use std::os::unix::fs::PermissionsExt;
    let mut builder = Builder::new();
    builder.permissions(std::fs::Permissions::from_mode(0o666));
    builder
}

#[cfg(not(unix))]
fn builder<'a>() -> Builder<'a, 'static> {
    Builder::new()
}

/// Synchronizes the folder, which puts the new name on the disk.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Formats an error with its causes, outermost first, on one line: `FILE: PLACE: REASON`.
pub fn one_line(error: &anyhow::Error) -> String {
    let whole = format!("{error:#}");
    whole.split('\n').map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
