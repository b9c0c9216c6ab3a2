//! What is known of a tensor before anything runs.
//!
//! The data that flows through the chain is known by its axes: each is a row of [`Atom`]s, whose meaning the nodes tell that
//! care for it. Layout operators move atoms about and nothing else; a reshape joins and parts them. So whatever way an
//! exporter takes from one recurrent node to the next, where time, batch and features end up is known and not guessed.

use std::rc::Rc;

use anyhow::{Context, Result, ensure};

use super::array::Array;
use super::chain::{Link, Point};

/// A length, or a product of lengths that are known at run time only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dim {
    factor: i64,
    /// In rising order.
    unknown: Vec<usize>,
}

impl Dim {
    /// A number.
    pub fn known(value: i64) -> Self {
        Self { factor: value, unknown: Vec::new() }
    }

    /// The length of this atom, by its number.
    pub fn of_atom(atom: usize) -> Self {
        Self { factor: 1, unknown: vec![atom] }
    }

    /// Its value, if it is a number.
    pub fn value(&self) -> Option<i64> {
        self.unknown.is_empty().then_some(self.factor)
    }

    /// Its product with another.
    pub fn times(&self, other: &Self) -> Result<Self> {
        let factor = self.factor.checked_mul(other.factor).context("a length beyond all memory")?;
        let mut unknown = [&self.unknown[..], &other.unknown].concat();
        ensure!(unknown.len() <= super::array::MOST_AXES, "a product of too many lengths");
        unknown.sort_unstable();
        Ok(Self { factor, unknown })
    }

    /// What times `other` it is.
    pub fn over(&self, other: &Self) -> Option<Self> {
        let factor = self.factor.checked_div(other.factor)?;
        let mut unknown = self.unknown.clone();
        for atom in &other.unknown {
            unknown.remove(unknown.iter().position(|own| own == atom)?);
        }
        (factor.checked_mul(other.factor)? == self.factor).then_some(Self { factor, unknown })
    }
}

/// A part of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Atom {
    /// Goes through [`Data::parts`].
    Parts,
    /// One of those that the importer has numbered.
    Numbered(usize),
}

/// From the outermost atom to the innermost; an axis of length 1 may have none.
pub type Axis = Vec<Atom>;

/// Something of the data.
#[derive(Clone, Debug)]
pub enum Part {
    /// What comes out of a layer, or into the network.
    Made(Link),
    /// The cell state that an LSTM ends with.
    Cell(Rc<Point>),
    /// A piece of a graph's input: initial states come one behind another.
    Piece {
        /// The input's number.
        input: usize,
        /// The piece's.
        place: usize,
    },
}

/// A tensor of numbers that come at run time.
#[derive(Clone, Debug)]
pub struct Data {
    /// What it is made of: one thing, or as many as [`Atom::Parts`] goes through.
    pub parts: Vec<Part>,
    /// Its axes.
    pub axes: Vec<Axis>,
    /// Whether they are ids of an embedding.
    pub ids: bool,
}

/// A tensor of which all values are the same.
#[derive(Clone, Debug)]
pub struct Same {
    /// The integer that they are; none for zeros as floats.
    pub int: Option<Dim>,
    /// Lengths of the axes.
    pub shape: Vec<Dim>,
}

/// A tensor.
#[derive(Clone, Debug)]
pub enum Value {
    /// Constant floats.
    Floats(Rc<Array<f32>>),
    /// Integers known up to lengths of axes.
    Ints(Rc<Array<Dim>>),
    /// The same all over, in a shape that comes at run time.
    Same(Same),
    /// What flows through the chain.
    Data(Data),
}

impl Value {
    /// Constant floats.
    pub fn floats(array: Array<f32>) -> Self {
        Self::Floats(Rc::new(array))
    }

    /// Integers.
    pub fn ints(array: Array<Dim>) -> Self {
        Self::Ints(Rc::new(array))
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        match self {
            Self::Floats(array) => array.shape().len(),
            Self::Ints(array) => array.shape().len(),
            Self::Same(same) => same.shape.len(),
            Self::Data(data) => data.axes.len(),
        }
    }

    /// Whether nothing but zeros.
    pub fn is_zeros(&self) -> bool {
        match self {
            Self::Floats(array) => array.values().iter().all(|&value| value == 0.0),
            Self::Same(same) => same.int.is_none(),
            _ => false,
        }
    }
}

/// Changes constants, or the shape of what is the same all over; hands data on.
macro_rules! on_constants {
    ($value:expr, $array:ident => $changed:expr, $same:ident => $shape:expr, $data:ident => $moved:expr) => {
        match $value {
            $crate::import::onnx::value::Value::Floats($array) => {
                Ok($crate::import::onnx::value::Value::floats($changed))
            }
            $crate::import::onnx::value::Value::Ints($array) => {
                Ok($crate::import::onnx::value::Value::ints($changed))
            }
            $crate::import::onnx::value::Value::Same($same) => {
                let shape = $shape;
                Ok($crate::import::onnx::value::Value::Same(Same { shape, ..$same }))
            }
            $crate::import::onnx::value::Value::Data($data) => $moved,
        }
    };
}
pub(super) use on_constants;

/// The axis that a node speaks of; negative ones count from the end.
pub fn axis_of(axis: i64, rank: usize) -> Result<usize> {
    let from_start = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
    let axis = usize::try_from(from_start).ok().filter(|&axis| axis < rank);
    axis.with_context(|| format!("axis {from_start} of {rank}"))
}
