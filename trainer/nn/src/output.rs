//! Files are written beside and renamed: whoever looks finds the old file or the new one, never half of one.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::Builder;

const SUFFIX: &str = ".tmp";

/// How the names begin that `path` has while it is written: hidden, and telling whose they are.
fn prefix(path: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    prefix
}

/// Removes what was left when a program was killed while it wrote `path`. For the one program that writes it.
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

/// Writes `path` by `write`, and returns when it is on the disk.
pub fn write_atomically(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let place = || format!("{}: not written", path.display());
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let prefix = prefix(path);
    let mut builder = builder();
    // tempfile's own error tells a name that nobody asked for.
    let created = builder.prefix(&prefix).suffix(SUFFIX).tempfile_in(folder);
    let mut temporary = created.map_err(|error| io::Error::from(error.kind())).with_context(place)?;
    let mut buffered = BufWriter::new(temporary.as_file_mut());
    write(&mut buffered).and_then(|()| buffered.flush()).with_context(place)?;
    drop(buffered);
    temporary.as_file().sync_all().with_context(place)?;
    temporary.persist(path).map_err(|error| error.error).with_context(place)?;
    sync_folder(folder).with_context(place)
}

/// As any file that a program creates: readable as the user's mask says, not by the owner alone.
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

/// The new name is on the disk when the folder is.
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
