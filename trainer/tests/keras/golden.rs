//! Reads `golden.npz`, which `make_golden.py` writes and describes: records of named arrays.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use embedded_rnn_trainer::tensor::Matrix;
use npyz::{DType, Field, NpyHeader};
use zip::ZipArchive;

/// Returns the path of a file in this folder.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keras").join(name)
}

/// Several planes of one shape, in C order.
pub struct Array {
    /// The shape of all planes; the first axis is their number.
    pub shape: Vec<usize>,
    values: Vec<f32>,
}

impl Array {
    /// Returns one of the planes.
    pub fn plane(&self, number: usize) -> &[f32] {
        let len = self.values.len() / self.shape[0];
        &self.values[number * len..][..len]
    }

    /// Returns a plane whose axes are `[columns, rows]` as a matrix. Keras's matrices are the transposed of
    /// ours, and row-major, so both have the same order in memory. If the plane has several `parts`, returns
    /// number `part`.
    pub fn matrix(
        &self,
        plane: usize,
        [part, parts]: [usize; 2],
        rows: usize,
        columns: usize,
    ) -> Matrix<f32> {
        let plane = self.plane(plane);
        assert_eq!(
            (self.shape.last(), plane.len()),
            (Some(&rows), parts * rows * columns),
            "{:?}",
            self.shape
        );
        Matrix::from_column_slice(rows, columns, &plane[part * rows * columns..][..rows * columns])
    }
}

/// The arrays of a case, and the names of those that have not been read.
pub struct Record {
    arrays: BTreeMap<String, Array>,
    unread: BTreeSet<String>,
}

impl Record {
    /// Returns the array `name`.
    pub fn get(&mut self, name: &str) -> &Array {
        self.unread.remove(name);
        self.arrays.get(name).unwrap_or_else(|| panic!("no array {name} in golden.npz"))
    }

    /// Asserts that all arrays have been read.
    pub fn finish(self) {
        assert!(self.unread.is_empty(), "in golden.npz, but not in the trainer: {:?}", self.unread);
    }

    fn read(mut reader: impl Read) -> Self {
        let header = NpyHeader::from_reader(&mut reader).unwrap();
        let DType::Record(fields) = header.dtype() else { panic!("not a record") };
        let arrays: BTreeMap<_, _> = fields.iter().map(|field| read_field(field, &mut reader)).collect();
        let unread = arrays.keys().cloned().collect();
        Self { arrays, unread }
    }
}

/// Reads the next field of a record.
fn read_field(field: &Field, reader: &mut impl Read) -> (String, Array) {
    let (mut shape, mut dtype) = (Vec::new(), &field.dtype);
    while let DType::Array(axis, inner) = dtype {
        shape.push(*axis as usize);
        dtype = inner;
    }
    assert_eq!(dtype.descr(), "'<f4'", "{}", field.name);
    let mut bytes = vec![0; 4 * shape.iter().product::<usize>()];
    reader.read_exact(&mut bytes).unwrap();
    let values = bytes.chunks_exact(4).map(|value| f32::from_le_bytes(value.try_into().unwrap())).collect();
    (field.name.clone(), Array { shape, values })
}

/// Returns all records, by the names of their cases.
pub fn read() -> BTreeMap<String, Record> {
    let file = BufReader::new(File::open(path("golden.npz")).unwrap());
    let mut archive = ZipArchive::new(file).unwrap();
    let mut records = BTreeMap::new();
    for number in 0..archive.len() {
        let member = archive.by_index(number).unwrap();
        let name = member.name().unwrap().strip_suffix(".npy").unwrap().to_owned();
        records.insert(name, Record::read(member));
    }
    records
}
