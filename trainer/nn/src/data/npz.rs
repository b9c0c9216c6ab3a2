//! Named arrays in numpy's `.npz` format: a zip of `.npy` files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, Result};
use zip::ZipArchive;

use super::npy::{Array, is_text, open, read_array, texts};
use super::source::Texts;

/// An open `.npz` file.
pub(super) struct Npz {
    archive: ZipArchive<BufReader<File>>,
    /// Arrays that replace those of the file.
    replaced: BTreeMap<String, Array>,
}

impl Npz {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = open(path)?;
        let archive = ZipArchive::new(BufReader::new(file)).context("not an .npz file")?;
        Ok(Self { archive, replaced: BTreeMap::new() })
    }

    /// Returns the names of all arrays. A member that is no array keeps its extension.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        let array = |name: &str| name.strip_suffix(".npy").unwrap_or(name).to_owned();
        self.archive.file_names().map(|name| Ok(array(&name?))).collect()
    }

    /// Replaces an array of the file.
    pub(super) fn replace(&mut self, name: String, array: Array) {
        self.replaced.insert(name, array);
    }

    /// Reads the array of texts with this name.
    pub(super) fn texts(&mut self, name: &str) -> Result<Texts> {
        let member = self.archive.by_name(&format!("{name}.npy"));
        texts(BufReader::new(member?)).with_context(|| name.to_owned())
    }

    /// Returns `true` if the array with this name contains text.
    pub(super) fn is_text(&mut self, name: &str) -> bool {
        !self.replaced.contains_key(name) && self.archive.by_name(&format!("{name}.npy")).is_ok_and(is_text)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(&format!("{name}.npy")).is_some()
    }

    /// Reads the array with this name, without NaN or infinity.
    pub(super) fn array(&mut self, name: &str) -> Result<Array> {
        if let Some(array) = self.replaced.get(name) {
            return Ok(array.clone());
        }
        let mut read = || -> Result<Array> {
            let array = read_array(BufReader::new(self.archive.by_name(&format!("{name}.npy"))?))?;
            array.check_finite()?;
            Ok(array)
        };
        read().with_context(|| name.to_owned())
    }
}
