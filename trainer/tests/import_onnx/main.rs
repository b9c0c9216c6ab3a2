//! `.onnx` files: what exporters write against ONNX Runtime, ONNX's own cases, and what is refused. README.md says where the
//! files come from.

mod build;
mod conformance;
mod exported;
mod hostile;
mod refused;
mod run;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use embedded_rnn::F32;
use embedded_rnn_trainer::import::onnx::read;
use embedded_rnn_trainer::pack::AlignedBytes;

/// The files in a zip beside this one, by name.
fn unzipped(name: &str) -> BTreeMap<String, Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import_onnx").join(name);
    let mut zip = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    let mut files = BTreeMap::new();
    for place in 0..zip.len() {
        let mut file = zip.by_index(place).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        files.insert(file.name().unwrap().into_owned(), bytes);
    }
    files
}

/// The model file of an `.onnx` file.
fn imported(bytes: &[u8], name: &str) -> AlignedBytes {
    let imported = read(bytes, "model").unwrap_or_else(|error| panic!("{name}: {error:#}"));
    AlignedBytes::new(&imported.write::<F32>().unwrap())
}

/// Why an `.onnx` file is refused.
fn reason(bytes: &[u8]) -> String {
    let error = read(bytes, "model").expect_err("refused");
    let said = format!("{error:#}");
    assert!(!said.contains('\n') && said.len() < 400, "{said}");
    said
}

/// The largest difference, relative to the value where that is above 1, and where it is.
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
