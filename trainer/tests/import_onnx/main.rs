//! `.onnx` files: exported networks compared with ONNX Runtime, ONNX's own cases, and rejected files.
//! README.md describes the origin of the files.

mod axes;
mod build;
mod conformance;
mod cut;
mod exported;
mod hostile;
mod rejected;
mod reports;
mod run;
mod values;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use embedded_rnn::F32;
use embedded_rnn_trainer::import::onnx::read;
use embedded_rnn_trainer::pack::AlignedBytes;

/// Returns the files of a zip in this folder, by name.
fn unzipped(name: &str) -> BTreeMap<String, Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import_onnx").join(name);
    let mut zip = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    let mut files = BTreeMap::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        files.insert(file.name().unwrap().into_owned(), bytes);
    }
    files
}

/// Returns the model file of an `.onnx` file.
fn imported(bytes: &[u8], name: &str) -> AlignedBytes {
    let imported = read(bytes, "model").unwrap_or_else(|error| panic!("{name}: {error:#}"));
    AlignedBytes::new(&imported.write::<F32>().unwrap())
}

/// Returns the error of an unsupported `.onnx` file.
fn reason(bytes: &[u8]) -> String {
    let error = read(bytes, "model").expect_err("rejected");
    let text = format!("{error:#}");
    assert!(!text.contains('\n') && text.len() < 400, "{text}");
    text
}

/// The largest difference, relative to values above 1, and its place.
#[derive(Debug, Default)]
struct Worst {
    error: f32,
    place: String,
}

impl Worst {
    fn compare(&mut self, found: &[f32], golden: &[f32], place: &str) {
        assert_eq!(found.len(), golden.len(), "{place}");
        for (found, golden) in found.iter().zip(golden) {
            let error = (found - golden).abs() / golden.abs().max(1.0);
            if error.is_nan() || error > self.error {
                *self = Self { error, place: format!("{place}: {found}, expected {golden}") };
            }
        }
    }

    fn assert_within(self, bound: f32) {
        println!("worst: {:.2e}, {}", self.error, self.place);
        assert!(self.error < bound, "{:e}, allowed: {bound:e}: {}", self.error, self.place);
    }
}
