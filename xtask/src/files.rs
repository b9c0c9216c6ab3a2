//! Writing files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Writes a file beside `file` and renames it, so that no reader ever sees half of it. Creates missing
/// folders.
pub fn replace(file: &Path, bytes: &[u8]) -> Result<()> {
    let folder = file.parent().with_context(|| format!("{}: no folder", file.display()))?;
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let beside = PathBuf::from(format!("{}.tmp", file.display()));
    fs::write(&beside, bytes).with_context(|| format!("writing {}", beside.display()))?;
    fs::rename(&beside, file).with_context(|| format!("renaming to {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_into_new_folders_and_replaced() {
        let folder = std::env::temp_dir().join(format!("xtask-files-{}", std::process::id()));
        let file = folder.join("deep/file");
        replace(&file, b"longer").unwrap();
        replace(&file, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
        fs::remove_dir_all(folder).unwrap();
    }
}
