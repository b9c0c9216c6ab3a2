//! Writes and reads files of arrays.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use embedded_rnn_trainer::data::{Array, Values, read_npy, write_npy};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Returns an `.npy` file of integers.
pub fn integers(shape: &[usize], values: &[i64]) -> Vec<u8> {
    let shape: String = shape.iter().map(|axis| format!("{axis}, ")).collect();
    let header = format!("{{'descr': '<i8', 'fortran_order': False, 'shape': ({shape}), }}");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    values.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
    bytes
}

pub fn write_integers(path: &Path, shape: &[usize], values: &[i64]) {
    fs::write(path, integers(shape, values)).unwrap();
}

/// Writes `[n, time]`, padded with zeros, as `x.npy`, and the lengths as `len.npy`.
pub fn write_padded(folder: &Path, sequences: &[Vec<i64>]) {
    let time = sequences.iter().map(Vec::len).max().unwrap() + 1;
    let padded = |ids: &Vec<i64>| [ids.clone(), vec![0; time - ids.len()]].concat();
    let values: Vec<i64> = sequences.iter().flat_map(padded).collect();
    write_integers(&folder.join("x.npy"), &[sequences.len(), time], &values);
    let lengths: Vec<i64> = sequences.iter().map(|ids| ids.len() as i64).collect();
    write_integers(&folder.join("len.npy"), &[lengths.len()], &lengths);
}

/// Writes frames as `x.npy`.
pub fn write_frames(folder: &Path, shape: &[usize], values: &[f32]) {
    write_npy(&folder.join("x.npy"), shape, values).unwrap();
}

/// Writes an `.npz` file of `.npy` files, by name.
pub fn write_npz(path: &Path, arrays: &[(&str, Vec<u8>)]) {
    let mut npz = ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in arrays {
        npz.start_file(format!("{name}.npy"), SimpleFileOptions::default()).unwrap();
        npz.write_all(bytes).unwrap();
    }
    npz.finish().unwrap();
}

pub fn read_floats(path: &Path) -> (Vec<usize>, Vec<f32>) {
    let Array { shape, values: Values::Floats(values) } = read_npy(path).unwrap() else {
        panic!("{} contains integers", path.display())
    };
    (shape, values)
}
