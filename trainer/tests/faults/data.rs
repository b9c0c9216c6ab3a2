//! Writes the input files of the tests.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A classifier over two features, to be trained for four epochs of two batches.
pub const CONFIG: &str = r#"
name = "c"
[data]
file = "d.npz"
[[layers]]
type = "LSTM"
units = 3
[[layers]]
type = "Dense"
units = 2
activation = "softmax"
[training]
loss = "categorical_crossentropy"
batch_size = 8
epochs = 4
"#;

/// An array of a data set: its name, its dtype, its shape and its bytes.
#[derive(Clone)]
pub struct Named {
    pub name: String,
    pub descr: &'static str,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

pub fn floats(name: &str, shape: &[usize], values: &[f32]) -> Named {
    let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Named { name: name.to_owned(), descr: "<f4", shape: shape.to_vec(), bytes }
}

pub fn integers(name: &str, values: &[i64]) -> Named {
    let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Named { name: name.to_owned(), descr: "<i8", shape: vec![values.len()], bytes }
}

/// Returns an array of one text.
pub fn text(name: &str, content: &str) -> Named {
    let bytes = content.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    assert_eq!(content.chars().count(), 5, "the dtype is that of five characters");
    Named { name: name.to_owned(), descr: "<U5", shape: vec![1], bytes }
}

pub fn write_npz(path: &Path, arrays: &[Named]) {
    let mut npz = ZipWriter::new(File::create(path).unwrap());
    for Named { name, descr, shape, bytes } in arrays {
        let shape: String = shape.iter().map(|axis| format!("{axis}, ")).collect();
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
        npz.start_file(format!("{name}.npy"), SimpleFileOptions::default()).unwrap();
        npz.write_all(b"\x93NUMPY\x01\x00").unwrap();
        npz.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
        npz.write_all(header.as_bytes()).unwrap();
        npz.write_all(bytes).unwrap();
    }
    npz.finish().unwrap();
}

/// Returns frames in -1 to 1, the same at each call.
fn frames(count: usize) -> Vec<f32> {
    let mut next = 1u32;
    let mut frame = || {
        next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (next >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| frame()).collect()
}

/// Returns 16 sequences for training and 4 for the test, of `time` steps and two features, in two classes.
pub fn arrays(time: usize) -> Vec<Named> {
    let labels = |count: i64| (0..count).map(|s| s * s / 3 % 2).collect::<Vec<_>>();
    vec![
        floats("x_train", &[16, time, 2], &frames(16 * time * 2)),
        integers("y_train", &labels(16)),
        floats("x_test", &[4, time, 2], &frames(4 * time * 2)),
        integers("y_test", &labels(4)),
    ]
}

/// Makes a folder with a config, `c.toml`, and its data, `d.npz`.
pub fn folder(config: &str, arrays: &[Named]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), config).unwrap();
    write_npz(&folder.path().join("d.npz"), arrays);
    folder
}
