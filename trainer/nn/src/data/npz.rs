//! Named arrays in numpy's `.npz` format: a zip of `.npy` files.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, Result};
use zip::ZipArchive;

use super::npy::{Array, is_text, open, read_array};

/// An open `.npz` file.
pub(super) struct Npz {
    archive: ZipArchive<BufReader<File>>,
}

impl Npz {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = open(path)?;
        Ok(Self { archive: ZipArchive::new(BufReader::new(file)).context("not an .npz file")? })
    }

    /// Returns the names of all arrays. A member that is no array keeps its extension.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        let array = |name: &str| name.strip_suffix(".npy").unwrap_or(name).to_owned();
        self.archive.file_names().map(|name| Ok(array(&name?))).collect()
    }

    /// Returns `true` if the array with this name contains text.
    pub(super) fn is_text(&mut self, name: &str) -> bool {
        self.archive.by_name(&format!("{name}.npy")).is_ok_and(is_text)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(&format!("{name}.npy")).is_some()
    }

    /// Reads the array with this name, without NaN or infinity.
    pub(super) fn array(&mut self, name: &str) -> Result<Array> {
        let mut read = || -> Result<Array> {
            let array = read_array(BufReader::new(self.archive.by_name(&format!("{name}.npy"))?))?;
            array.check_finite()?;
            Ok(array)
        };
        read().with_context(|| name.to_owned())
    }

    /// Reads the array with this name, if there is one.
    pub(super) fn optional(&mut self, name: &str) -> Result<Option<Array>> {
        if self.has(name) { self.array(name).map(Some) } else { Ok(None) }
    }
}
