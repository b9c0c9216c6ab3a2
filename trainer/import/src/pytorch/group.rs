//! The tensors of one module: all whose names are equal up to the last dot.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};

use super::file::TensorsByName;
use crate::tensor::Tensor;
use embedded_rnn_nn::tensor::Matrix;

/// The tensors of a module by the last part of their names, its leaves. Tensors are taken out as they are
/// read.
pub struct TensorGroup {
    /// The common start of the names, with its dot; empty for a module without a path.
    prefix: String,
    tensors: BTreeMap<String, Tensor>,
}

impl TensorGroup {
    /// Groups tensors by module.
    pub fn all(tensors: TensorsByName) -> impl Iterator<Item = Self> {
        let mut groups = BTreeMap::<String, Self>::new();
        for (name, tensor) in tensors {
            let end = name.rfind('.').map_or(0, |dot| dot + 1);
            let prefix = name[..end].to_owned();
            let group = groups.entry(prefix.clone()).or_insert(Self { prefix, tensors: BTreeMap::new() });
            group.tensors.insert(name[end..].to_owned(), tensor);
        }
        groups.into_values()
    }

    /// Returns the path of the module.
    pub fn path(&self) -> String {
        self.prefix.trim_end_matches('.').to_owned()
    }

    /// Returns the full name of a tensor.
    pub fn full_name(&self, leaf: &str) -> String {
        format!("{}{leaf}", self.prefix)
    }

    /// Returns the leaves that are left.
    pub fn leaves(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Returns whether a tensor is left.
    pub fn has(&self, leaf: &str) -> bool {
        self.tensors.contains_key(leaf)
    }

    /// Takes a tensor, if it exists.
    pub fn take(&mut self, leaf: &str) -> Option<Tensor> {
        self.tensors.remove(leaf)
    }

    /// Returns the shape of a tensor, and leaves the tensor in the group.
    ///
    /// # Errors
    /// A missing tensor.
    pub fn shape(&self, leaf: &str) -> Result<&[usize]> {
        let tensor = self.tensors.get(leaf).with_context(|| format!("{}: missing", self.full_name(leaf)))?;
        Ok(tensor.shape())
    }

    /// Takes a matrix of any shape.
    ///
    /// # Errors
    /// A missing tensor, or another number of axes.
    pub fn matrix(&mut self, leaf: &str) -> Result<Matrix<f32>> {
        let tensor = self.take(leaf).with_context(|| format!("{}: missing", self.full_name(leaf)))?;
        tensor.matrix().with_context(|| self.full_name(leaf))
    }

    /// Takes a column of `rows` values, if it exists.
    ///
    /// # Errors
    /// Another shape.
    pub fn column(&mut self, leaf: &str, rows: usize) -> Result<Option<Matrix<f32>>> {
        let Some(tensor) = self.take(leaf) else { return Ok(None) };
        let shape = tensor.shape();
        ensure!(shape == [rows], "{}: shape {shape:?}, expected [{rows}]", self.full_name(leaf));
        tensor.column().map(Some)
    }

    /// Takes a column of `rows` values.
    ///
    /// # Errors
    /// A missing tensor, or another shape.
    pub fn required_column(&mut self, leaf: &str, rows: usize) -> Result<Matrix<f32>> {
        self.column(leaf, rows)?.with_context(|| format!("{}: missing", self.full_name(leaf)))
    }

    /// Checks that all tensors have been taken.
    ///
    /// # Errors
    /// The name of a tensor that is left.
    pub fn finish(&self) -> Result<()> {
        match self.leaves().next() {
            Some(leaf) => bail!("{}: not a tensor of a supported module", self.full_name(leaf)),
            None => Ok(()),
        }
    }
}
