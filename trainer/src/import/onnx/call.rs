//! A node as its operator sees it.

use std::rc::Rc;

use anyhow::{Context as _, Result, bail, ensure};

use super::array::Array;
use super::attributes::Attributes;
use super::value::{Data, Dim, Value};
use crate::tensor::Matrix;

/// A node, its inputs known.
#[derive(Debug)]
pub struct Call<'a> {
    /// What a layer made of it is called.
    pub name: String,
    /// What it was in the file.
    pub origin: String,
    /// What it does.
    pub op: &'a str,
    /// Its inputs, with their names; none for those left out.
    pub inputs: Vec<Option<(&'a str, Value)>>,
    /// Its attributes.
    pub attributes: Attributes<'a>,
    /// The number of its outputs.
    pub outputs: usize,
}

impl<'a> Call<'a> {
    /// An input, if it is given.
    pub fn given(&self, place: usize) -> Option<&(&'a str, Value)> {
        self.inputs.get(place)?.as_ref()
    }

    /// An input.
    pub fn value(&self, place: usize) -> Result<&Value> {
        Ok(&self.given(place).with_context(|| format!("input {place}: not given"))?.1)
    }

    /// Refuses more inputs than these.
    pub fn at_most(&self, count: usize) -> Result<()> {
        match self.inputs.iter().flatten().next_back() {
            Some((name, _)) if self.inputs.len() > count => {
                bail!("input {name}: at most {count} inputs are read")
            }
            _ => Ok(()),
        }
    }

    /// An input that comes at run time.
    pub fn data(&self, place: usize) -> Result<Data> {
        let (name, value) = self.given(place).with_context(|| format!("input {place}: not given"))?;
        match value {
            Value::Data(data) => Ok(data.clone()),
            _ => bail!("input {name}: a constant where the data belongs"),
        }
    }

    /// Constant floats, if they are given.
    pub fn floats(&self, place: usize) -> Result<Option<Rc<Array<f32>>>> {
        let Some((name, value)) = self.given(place) else { return Ok(None) };
        match value {
            Value::Floats(array) => Ok(Some(array.clone())),
            Value::Data(_) => {
                bail!("input {name}: comes at run time; weights must be initializers of the file")
            }
            _ => bail!("input {name}: no constant floats"),
        }
    }

    /// Constant floats that a layer keeps: they are finite.
    pub fn weights(&self, place: usize) -> Result<Option<Rc<Array<f32>>>> {
        let weights = self.floats(place)?;
        if let (Some(weights), Some((name, _))) = (&weights, self.given(place)) {
            let odd = weights.values().iter().find(|value| !value.is_finite());
            odd.map_or(Ok(()), |value| Err(anyhow::anyhow!("input {name}: holds {value}")))?;
        }
        Ok(weights)
    }

    /// Integers known up to lengths of axes, if they are given.
    pub fn dims(&self, place: usize) -> Result<Option<Vec<Dim>>> {
        let Some((name, value)) = self.given(place) else { return Ok(None) };
        match value {
            Value::Ints(array) => Ok(Some(array.values().to_vec())),
            _ => bail!("input {name}: no integers that are known"),
        }
    }

    /// Constant integers, if they are given.
    pub fn ints(&self, place: usize) -> Result<Option<Vec<i64>>> {
        let Some(dims) = self.dims(place)? else { return Ok(None) };
        let ints: Option<Vec<i64>> = dims.iter().map(Dim::value).collect();
        let name = self.given(place).map_or("", |(name, _)| name);
        Ok(Some(ints.with_context(|| format!("input {name}: lengths that come at run time"))?))
    }

    /// Integers that were an attribute up to some version of the operator, and are an input since.
    pub fn ints_of(&mut self, attribute: &str, place: usize) -> Result<Option<Vec<i64>>> {
        match self.attributes.ints(attribute)? {
            Some(ints) => {
                ensure!(self.given(place).is_none(), "{attribute}: an attribute and an input");
                Ok(Some(ints))
            }
            None => self.ints(place),
        }
    }

    /// An attribute that must be this where it is given.
    pub fn only(&mut self, attribute: &str, value: i64) -> Result<()> {
        match self.attributes.int(attribute)? {
            Some(found) if found != value => bail!("{attribute} {found}: only {value} is read"),
            _ => Ok(()),
        }
    }
}

/// As one column of `rows` values: of an array with as many values in its last axis and one in each other.
pub fn column(array: &Array<f32>, rows: usize) -> Result<Matrix<f32>> {
    let fits = array.values().len() == rows && array.shape().last().is_none_or(|&last| last == rows);
    ensure!(fits, "shape {:?}, expected [{rows}]", array.shape());
    Ok(Matrix::from_column_slice(rows, 1, array.values()))
}

/// As a matrix of two axes.
pub fn matrix(array: &Array<f32>) -> Result<Matrix<f32>> {
    let [rows, columns] = array.shape()[..] else { bail!("shape {:?}, expected two axes", array.shape()) };
    Ok(Matrix::from_row_slice(rows, columns, array.values()))
}
