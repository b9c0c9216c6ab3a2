//! A node with its inputs resolved, as its operator handles it.

use std::rc::Rc;

use anyhow::{Context as _, Result, bail, ensure};

use super::array::Array;
use super::attributes::Attributes;
use super::value::{Data, Dim, Value};
use embedded_rnn_nn::tensor::Matrix;

/// A node with its inputs resolved.
#[derive(Debug)]
pub struct Call<'a> {
    /// The name of a layer made of this node.
    pub name: String,
    /// The description of the node in the origin of a layer.
    pub origin: String,
    /// The operator.
    pub op: &'a str,
    /// The inputs with their names; `None` where an optional input is left out.
    pub inputs: Vec<Option<(&'a str, Value)>>,
    /// The attributes that the operator has not read yet.
    pub attributes: Attributes<'a>,
    /// The number of outputs.
    pub outputs: usize,
}

impl<'a> Call<'a> {
    /// Returns an input, if it is given.
    pub fn input(&self, index: usize) -> Option<&(&'a str, Value)> {
        self.inputs.get(index)?.as_ref()
    }

    /// Returns an input.
    ///
    /// # Errors
    /// A missing input.
    pub fn value(&self, index: usize) -> Result<&Value> {
        Ok(&self.input(index).with_context(|| format!("input {index}: missing"))?.1)
    }

    /// Checks that at most `count` inputs are given. Further ones may be empty names, as keras2onnx writes
    /// them.
    ///
    /// # Errors
    /// The name of the first further input.
    pub fn at_most(&self, count: usize) -> Result<()> {
        match self.inputs.iter().skip(count).flatten().next() {
            Some((name, _)) => bail!("input {name}: at most {count} inputs are supported"),
            None => Ok(()),
        }
    }

    /// Returns an input that is data, known at run time only.
    ///
    /// # Errors
    /// A missing input, or a constant.
    pub fn data(&self, index: usize) -> Result<Data> {
        let (name, value) = self.input(index).with_context(|| format!("input {index}: missing"))?;
        match value {
            Value::Data(data) => Ok(data.clone()),
            _ => bail!("input {name}: a constant, expected run-time data"),
        }
    }

    /// Returns an input of constant floats, if it is given.
    ///
    /// # Errors
    /// Anything else than constant floats.
    pub fn floats(&self, index: usize) -> Result<Option<Rc<Array<f32>>>> {
        let Some((name, value)) = self.input(index) else { return Ok(None) };
        match value {
            Value::Floats(array) => Ok(Some(array.clone())),
            Value::Data(_) => {
                bail!("input {name}: known at run time only; weights must be initializers of the file")
            }
            _ => bail!("input {name}: expected constant floats"),
        }
    }

    /// Returns an input of constant floats for a layer, if it is given.
    ///
    /// # Errors
    /// As [`Self::floats`], or a value that is not finite.
    pub fn weights(&self, index: usize) -> Result<Option<Rc<Array<f32>>>> {
        let weights = self.floats(index)?;
        if let (Some(weights), Some((name, _))) = (&weights, self.input(index)) {
            let invalid = weights.values().iter().find(|value| !value.is_finite());
            invalid.map_or(Ok(()), |value| Err(anyhow::anyhow!("input {name}: contains {value}")))?;
        }
        Ok(weights)
    }

    /// Returns an input of integers that may depend on run-time lengths, if it is given.
    ///
    /// # Errors
    /// Anything else than known integers.
    pub fn dims(&self, index: usize) -> Result<Option<Vec<Dim>>> {
        let Some((name, value)) = self.input(index) else { return Ok(None) };
        match value {
            Value::Ints(array) => Ok(Some(array.values().to_vec())),
            _ => bail!("input {name}: expected known integers"),
        }
    }

    /// Returns an input of constant integers, if it is given.
    ///
    /// # Errors
    /// Anything else, or integers that depend on run-time lengths.
    pub fn ints(&self, index: usize) -> Result<Option<Vec<i64>>> {
        let Some(dims) = self.dims(index)? else { return Ok(None) };
        let ints: Option<Vec<i64>> = dims.iter().map(Dim::value).collect();
        let name = self.input(index).map_or("", |(name, _)| name);
        Ok(Some(ints.with_context(|| format!("input {name}: lengths known at run time only"))?))
    }

    /// Reads integers that older versions of the operator take as an attribute and newer ones as an input.
    ///
    /// # Errors
    /// Both at once, or as [`Self::ints`].
    pub fn ints_of(&mut self, attribute: &str, index: usize) -> Result<Option<Vec<i64>>> {
        match self.attributes.ints(attribute)? {
            Some(ints) => {
                ensure!(
                    self.input(index).is_none(),
                    "{attribute}: given both as an attribute and as an input"
                );
                Ok(Some(ints))
            }
            None => self.ints(index),
        }
    }

    /// Checks that an attribute is missing or has this value.
    ///
    /// # Errors
    /// Another value.
    pub fn only(&mut self, attribute: &str, value: i64) -> Result<()> {
        match self.attributes.int(attribute)? {
            Some(found) if found != value => bail!("{attribute} {found}: only {value} is supported"),
            _ => Ok(()),
        }
    }
}

/// Converts an array to a column of `rows` values; all axes but the last must have length 1.
///
/// # Errors
/// Another shape.
pub fn column(array: &Array<f32>, rows: usize) -> Result<Matrix<f32>> {
    let fits = array.values().len() == rows && array.shape().last().is_none_or(|&last| last == rows);
    ensure!(fits, "shape {:?}, expected [{rows}]", array.shape());
    Ok(Matrix::from_column_slice(rows, 1, array.values()))
}

/// Converts an array of two axes to a matrix.
///
/// # Errors
/// Another number of axes.
pub fn matrix(array: &Array<f32>) -> Result<Matrix<f32>> {
    let [rows, columns] = array.shape()[..] else { bail!("shape {:?}, expected two axes", array.shape()) };
    Ok(Matrix::from_row_slice(rows, columns, array.values()))
}
