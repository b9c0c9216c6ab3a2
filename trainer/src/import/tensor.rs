//! Numbers as a file gives them.

use anyhow::{Result, ensure};

use crate::tensor::Matrix;

/// An array of finite numbers, the last axis running fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Tensor {
    /// Of this shape.
    ///
    /// # Errors
    /// Another number of values, or one that is not finite.
    pub fn new(shape: Vec<usize>, values: Vec<f32>) -> Result<Self> {
        let len = shape.iter().try_fold(1usize, |len, &axis| len.checked_mul(axis));
        ensure!(len == Some(values.len()), "shape {shape:?} but {} values", values.len());
        if let Some(place) = values.iter().position(|value| !value.is_finite()) {
            anyhow::bail!("value {place} is {}", values[place]);
        }
        Ok(Self { shape, values })
    }

    /// Lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// All values.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The same values in this shape.
    ///
    /// # Errors
    /// A shape of another number of values.
    pub fn reshaped(self, shape: &[usize]) -> Result<Self> {
        Self::new(shape.to_vec(), self.values)
    }

    /// As a matrix `[rows x columns]` of two axes.
    ///
    /// # Errors
    /// More or fewer axes.
    pub fn matrix(&self) -> Result<Matrix<f32>> {
        let [rows, columns] = self.shape[..] else {
            anyhow::bail!("shape {:?}: a matrix has two axes", self.shape);
        };
        Ok(Matrix::from_row_slice(rows, columns, &self.values))
    }

    /// As one column, of one axis.
    ///
    /// # Errors
    /// More or fewer axes.
    pub fn column(&self) -> Result<Matrix<f32>> {
        ensure!(self.shape.len() == 1, "shape {:?}: one axis expected", self.shape);
        Ok(Matrix::from_column_slice(self.values.len(), 1, &self.values))
    }
}
