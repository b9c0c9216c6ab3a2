//! Atomic writes of files: each file is written under a temporary name and renamed, so that a reader finds
//! either the old or the new file.
//!
//! A program that is killed leaves its temporary file behind. The next program that writes the same file
//! removes it, unless it is still being written: a temporary file is locked as long as its program lives.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use tempfile::{Builder, NamedTempFile};

const SUFFIX: &str = ".tmp";
/// The file in a folder whose lock makes a program the only one that writes there.
const LOCK: &str = ".lock";

/// The right of this process to write into a folder. The operating system takes it back when the process
/// ends, also by a kill; the file with the lock remains.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Locks `folder` until the result is dropped.
    ///
    /// # Errors
    /// Another process, or another lock of this process, that writes into the folder.
    pub fn acquire(folder: &Path) -> Result<Self> {
        let path = folder.join(LOCK);
        let place = || path.display().to_string();
        let file =
            File::options().create(true).truncate(false).write(true).open(&path).with_context(place)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => {
                bail!("{}: another run writes into this folder", folder.display())
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(place),
        }
    }
}

/// Returns the prefix of the temporary names of `path`: hidden files that name the final file.
fn prefix(path: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    prefix
}

/// Returns the folder of `path`.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Removes the temporary files of `path` that killed programs left behind.
pub fn remove_leftovers(path: &Path) -> io::Result<()> {
    let prefix = prefix(path);
    for entry in std::fs::read_dir(folder(path))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.starts_with(prefix.as_encoded_bytes()) && name.ends_with(SUFFIX.as_bytes()) {
            remove_leftover(&entry.path())?;
        }
    }
    Ok(())
}

/// Removes a temporary file, unless the program that writes it has locked it.
fn remove_leftover(path: &Path) -> io::Result<()> {
    let remove = || -> io::Result<()> {
        let file = File::open(path)?;
        if file.try_lock().is_ok() { std::fs::remove_file(path) } else { Ok(()) }
    };
    match remove() {
        // Its program has renamed it since, or removed it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Writes `path` through `write`, and returns once the data is on the disk.
pub fn write_atomically(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let place = || format!("{}: not written", path.display());
    // A folder that cannot be listed can be written to.
    _ = remove_leftovers(path);
    let mut temporary = create_locked(path).with_context(place)?;
    let mut buffered = BufWriter::new(temporary.as_file_mut());
    write(&mut buffered).and_then(|()| buffered.flush()).with_context(place)?;
    drop(buffered);
    temporary.as_file().sync_all().with_context(place)?;
    temporary.persist(path).map_err(|error| error.error).with_context(place)?;
    sync_folder(folder(path)).with_context(place)
}

/// Creates the temporary file of `path`, locked where the file system supports it.
fn create_locked(path: &Path) -> io::Result<NamedTempFile> {
    let prefix = prefix(path);
    let mut builder = Builder::new();
    builder.prefix(&prefix).suffix(SUFFIX);
    // Unlike `tempfile_in`, with the permissions of any other file, which the umask reduces, and with the
    // error of the system, which does not contain the temporary name.
    let create = |path: &Path| File::create_new(path);
    loop {
        let temporary = builder.make_in(folder(path), create)?;
        // Without locks, no other program takes the file for a leftover.
        let locked = temporary.as_file().lock().is_ok();
        // Another program may have removed it before it was locked.
        if !locked || temporary.path().exists() {
            return Ok(temporary);
        }
    }
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

/// The maximum number of characters of an error line.
const MAX_LINE: usize = 1000;

/// Formats an error with its causes, outermost first, on one line: `FILE: PLACE: REASON`.
///
/// Names in it may come from a file: characters that a terminal would not print are escaped, and of a line
/// that is too long only both ends remain.
pub fn one_line(error: &anyhow::Error) -> String {
    let whole = format!("{error:#}");
    let line = whole.split('\n').map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let printable: Vec<char> = line.chars().flat_map(printable).collect();
    if printable.len() <= MAX_LINE {
        return printable.into_iter().collect();
    }
    let (begin, end) = (&printable[..MAX_LINE / 2], &printable[printable.len() - MAX_LINE / 2..]);
    format!("{} ... {}", String::from_iter(begin), String::from_iter(end))
}

/// Returns a character, or its escape if it is a control character or another one that is not printed.
fn printable(character: char) -> impl Iterator<Item = char> {
    let is_plain = matches!(character, '"' | '\'' | '\\');
    let escaped = (!is_plain).then(|| character.escape_debug());
    escaped.into_iter().flatten().chain(is_plain.then_some(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_printable_line() {
        let error = anyhow::anyhow!("reason\n  with \"quotes\", \\, é").context("bad\x1b[31m\u{202e}name");
        assert_eq!(one_line(&error), r#"bad\u{1b}[31m\u{202e}name: reason with "quotes", \, é"#);
        let long = one_line(&anyhow::anyhow!("the reason").context("x".repeat(1 << 20)).context("net.onnx"));
        assert_eq!(long.chars().count(), MAX_LINE + " ... ".len());
        assert!(long.starts_with("net.onnx: xxx") && long.ends_with("xxx: the reason"), "{long}");
    }

    #[test]
    fn an_error_has_the_text_of_the_system_and_no_temporary_name() {
        let path = Path::new("/no/such/folder/y.npy");
        let error = write_atomically(path, |_| Ok(())).unwrap_err();
        let system = std::fs::write(path, "").unwrap_err();
        assert_eq!(one_line(&error), format!("{}: not written: {system}", path.display()));
    }

    #[test]
    fn a_folder_has_one_lock_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let lock = FolderLock::acquire(folder.path()).unwrap();
        let error = FolderLock::acquire(folder.path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{}: another run writes into this folder", folder.path().display())
        );
        drop(lock);
        FolderLock::acquire(folder.path()).unwrap();
    }

    #[test]
    fn writing_removes_leftovers_but_no_file_that_is_being_written() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let other = [".a.1.tmp.kept", ".b.1.tmp", "a.1.tmp"];
        [".a.1.tmp", ".a.2.tmp"].iter().chain(&other).for_each(|name| std::fs::write(at(name), "").unwrap());
        let live = create_locked(&at("a")).unwrap();
        write_atomically(&at("a"), |file| {
            assert!(other.iter().all(|name| at(name).exists()) && live.path().exists());
            assert!(!at(".a.1.tmp").exists() && !at(".a.2.tmp").exists());
            // This file itself is no leftover either.
            remove_leftovers(&at("a"))?;
            file.write_all(b"new")
        })
        .unwrap();
        assert_eq!(std::fs::read(at("a")).unwrap(), b"new");
        live.persist(at("a")).unwrap();
    }
}
