//! The files that `make_golden.py` writes: zips that are gzipped as a whole.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use npyz::NpyFile;
use zip::ZipArchive;

/// The members of a zip, by name.
pub type Members = BTreeMap<String, Vec<u8>>;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import_keras")
}

/// Returns the members of `NAME.zip.gz`.
pub fn members(name: &str) -> Members {
    let file = File::open(folder().join(format!("{name}.zip.gz"))).unwrap();
    let mut bytes = Vec::new();
    GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    unpacked(bytes)
}

/// Returns the members of a zip.
pub fn unpacked(bytes: Vec<u8>) -> Members {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut members = Members::new();
    for number in 0..archive.len() {
        let mut member = archive.by_index(number).unwrap();
        let name = member.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        members.insert(name, bytes);
    }
    members
}

/// An array of f32.
pub struct Array {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

impl Array {
    pub fn read(bytes: &[u8]) -> Self {
        let file = NpyFile::new(bytes).unwrap();
        let shape = file.shape().iter().map(|&axis| axis as usize).collect();
        Self { shape, values: file.into_vec().unwrap() }
    }

    /// Iterates over the values of each sequence.
    pub fn sequences(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.values.len() / self.shape[0])
    }
}
