//! The values of a tensor in a file.

use anyhow::{Result, ensure};

use embedded_rnn_nn::tensor::Matrix;

/// An array of finite numbers in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Tensor {
    /// Creates a tensor of this shape.
    ///
    /// # Errors
    /// Another number of values than the shape has, or one that is not finite.
    pub fn new(shape: Vec<usize>, values: Vec<f32>) -> Result<Self> {
        let len = shape.iter().try_fold(1usize, |len, &axis| len.checked_mul(axis));
        ensure!(len == Some(values.len()), "shape {shape:?} but {} values", values.len());
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            anyhow::bail!("value {index} is {}", values[index]);
        }
        Ok(Self { shape, values })
    }

    /// Returns the lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Returns all values.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Returns the same values in another shape.
    ///
    /// # Errors
    /// A shape of another number of values.
    pub fn reshaped(self, shape: &[usize]) -> Result<Self> {
        Self::new(shape.to_vec(), self.values)
    }

    /// Converts a tensor of two axes to a matrix `[rows x columns]`.
    ///
    /// # Errors
    /// Another number of axes.
    pub fn matrix(&self) -> Result<Matrix<f32>> {
        let [rows, columns] = self.shape[..] else {
            anyhow::bail!("shape {:?}: expected two axes", self.shape);
        };
        Ok(Matrix::from_row_slice(rows, columns, &self.values))
    }

    /// Converts a tensor of one axis to a column.
    ///
    /// # Errors
    /// Another number of axes.
    pub fn column(&self) -> Result<Matrix<f32>> {
        ensure!(self.shape.len() == 1, "shape {:?}: expected one axis", self.shape);
        Ok(Matrix::from_column_slice(self.values.len(), 1, &self.values))
    }
}
