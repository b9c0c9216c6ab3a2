//! Writing `.npz` files: zip archives of `.npy` files, the same bytes from the same arrays.

use std::io::{Cursor, Write};

use anyhow::{Context, Result};
use npyz::{AutoSerialize, WriterBuilder};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Arrays that are written into a file.
pub struct Arrays {
    archive: ZipWriter<Cursor<Vec<u8>>>,
    shapes: Vec<String>,
}

/// Sequences of frames, all frames one after another.
pub struct Sequences<T> {
    features: usize,
    /// Values of all frames.
    pub frames: Vec<T>,
    /// Number of frames per sequence.
    pub lengths: Vec<i32>,
}

impl<T: Copy + AutoSerialize> Sequences<T> {
    /// Creates an empty list of sequences with `features` values per frame.
    pub fn new(features: usize) -> Self {
        Self { features, frames: Vec::new(), lengths: Vec::new() }
    }

    /// Appends a sequence of whole frames.
    pub fn push(&mut self, frames: &[T]) {
        self.frames.extend(frames);
        self.lengths.push((frames.len() / self.features) as i32);
    }

    /// Returns the number of sequences.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }
}

impl Arrays {
    /// Creates an empty file.
    pub fn new() -> Self {
        Self { archive: ZipWriter::new(Cursor::new(Vec::new())), shapes: Vec::new() }
    }

    /// Adds an array in C order.
    pub fn add<T: Copy + AutoSerialize>(&mut self, name: &str, shape: &[usize], values: &[T]) -> Result<()> {
        // Without a time stamp, so that the bytes depend on the arrays alone.
        let options = SimpleFileOptions::default().compression_level(Some(9));
        self.archive.start_file(format!("{name}.npy"), options)?;
        let axes: Vec<u64> = shape.iter().map(|&axis| axis as u64).collect();
        let mut npy = Vec::new();
        let mut writer =
            npyz::WriteOptions::new().default_dtype().shape(&axes).writer(&mut npy).begin_nd()?;
        writer.extend(values.iter().copied())?;
        writer.finish().with_context(|| format!("{name}: {} values for {shape:?}", values.len()))?;
        self.archive.write_all(&npy)?;
        self.shapes.push(format!("{name} {shape:?}"));
        Ok(())
    }

    /// Adds sequences as two arrays, their frames and their lengths.
    pub fn add_sequences<T: Copy + AutoSerialize>(
        &mut self,
        [frames, lengths]: [&str; 2],
        sequences: &Sequences<T>,
    ) -> Result<()> {
        let count = sequences.frames.len() / sequences.features;
        self.add(frames, &[count, sequences.features], &sequences.frames)?;
        self.add(lengths, &[sequences.len()], &sequences.lengths)
    }

    /// Returns the file's bytes, and the names and shapes of its arrays.
    pub fn finish(self) -> Result<(Vec<u8>, String)> {
        Ok((self.archive.finish()?.into_inner(), self.shapes.join(", ")))
    }
}
