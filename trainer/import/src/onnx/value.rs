//! The values of tensors, as far as they are known before the network runs.
//!
//! Run-time data is known by its axes. The length of an axis is a product of [`AxisFactor`]s, and a factor
//! has a role (batch, time or features) as soon as a node requires one. Layout operators only permute, split
//! and merge factors; whatever sequence of them an exporter writes between two recurrent nodes, the positions
//! of time, batch and features are known at the end and never guessed:
//!
//! ```text
//! Y                    [time] [directions] [batch] [units]
//! Transpose 0,2,1,3    [time] [batch] [directions] [units]
//! Reshape   0,0,-1     [time] [batch] [directions units]      both directions are features of one frame
//! ```

use std::rc::Rc;

use anyhow::{Context, Result, ensure};

use super::array::{Array, MAX_AXES};
use super::layer_graph::{Edge, LayerNode, TimeSpan};
use super::waiting::WaitingInput;

/// The length of an axis: a product of a number and of lengths known at run time only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dim {
    factor: i64,
    /// The indices of axis factors of unknown length, in rising order.
    symbols: Vec<usize>,
}

impl Dim {
    /// Creates a fixed length.
    pub fn known(value: i64) -> Self {
        Self { factor: value, symbols: Vec::new() }
    }

    /// Creates the unknown length of an axis factor, by its index.
    pub fn symbol(factor: usize) -> Self {
        Self { factor: 1, symbols: vec![factor] }
    }

    /// Returns the length, if it is fixed.
    pub fn value(&self) -> Option<i64> {
        self.symbols.is_empty().then_some(self.factor)
    }

    /// Returns the product of two lengths.
    pub fn times(&self, other: &Self) -> Result<Self> {
        let factor = self.factor.checked_mul(other.factor).context("length too large")?;
        let mut symbols = [&self.symbols[..], &other.symbols].concat();
        ensure!(symbols.len() <= MAX_AXES, "a product of too many lengths");
        symbols.sort_unstable();
        Ok(Self { factor, symbols })
    }

    /// Returns the quotient of two lengths, if `other` divides this one.
    pub fn divided_by(&self, other: &Self) -> Option<Self> {
        let factor = self.factor.checked_div(other.factor)?;
        let mut symbols = self.symbols.clone();
        for symbol in &other.symbols {
            symbols.remove(symbols.iter().position(|own| own == symbol)?);
        }
        (factor.checked_mul(other.factor)? == self.factor).then_some(Self { factor, symbols })
    }
}

/// A factor of the length of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AxisFactor {
    /// The index into [`Data::components`].
    Components,
    /// A factor of the [`super::context::GraphContext`], by its index.
    Indexed(usize),
}

/// The factors of an axis, outermost first; none for an axis of length 1.
pub type Axis = Vec<AxisFactor>;

/// A component of run-time data.
#[derive(Clone, Debug)]
pub enum Component {
    /// The output of a layer, or an input of the graph.
    Frames(Edge),
    /// The final cell state of an LSTM.
    CellState(Rc<LayerNode>),
    /// A part of an input of the graph: initial states of several layers come in one tensor.
    InputPart {
        /// The index of the input.
        input: usize,
        /// The place along each axis that has been divided, in the order of the divisions.
        places: Vec<PartPlace>,
    },
    /// Components along an axis of their own, beside another such axis: final states of several layers come
    /// in one tensor.
    Group(Vec<Component>),
    /// An input of the graph behind functions of single values, as long as its feature axis is unknown.
    Waiting {
        /// The input and the functions, which all readers share.
        input: Rc<WaitingInput>,
        /// The frames that a reader gets: all, or all reversed.
        span: TimeSpan,
    },
}

/// The place of a part along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartPlace {
    /// The index of the part.
    pub index: usize,
    /// The number of parts.
    pub count: usize,
}

/// A tensor whose values are known at run time only.
#[derive(Clone, Debug)]
pub struct Data {
    /// The components: one, or as many as [`AxisFactor::Components`] enumerates.
    pub components: Vec<Component>,
    /// The axes.
    pub axes: Vec<Axis>,
    /// Whether the values are ids for an embedding.
    pub ids: bool,
}

/// A tensor of one value in every place.
#[derive(Clone, Debug)]
pub struct Uniform {
    /// The integer; `None` for the float 0.
    pub int: Option<Dim>,
    /// The lengths of the axes.
    pub shape: Vec<Dim>,
}

/// Constant floats that are repeated along every axis whose length is known at run time only.
#[derive(Clone, Debug)]
pub struct Repeated {
    array: Rc<Array<f32>>,
    shape: Vec<Dim>,
}

impl Repeated {
    /// Creates a tensor of this shape; the array has length 1 along the axes where it is repeated.
    ///
    /// # Errors
    /// Values that are repeated in another way.
    pub fn new(array: Array<f32>, shape: Vec<Dim>) -> Result<Self> {
        let is_right = |(dim, &len): (&Dim, &usize)| match dim.value() {
            Some(known) => known == len as i64,
            None => len == 1,
        };
        ensure!(
            array.shape().len() == shape.len() && shape.iter().zip(array.shape()).all(is_right),
            "a constant that is repeated in parts of an axis"
        );
        Ok(Self { array: Rc::new(array), shape })
    }

    /// Returns the values, without repetitions.
    pub fn array(&self) -> &Array<f32> {
        &self.array
    }

    /// Returns the lengths of the axes.
    pub fn shape(&self) -> &[Dim] {
        &self.shape
    }
}

/// The value of a tensor.
#[derive(Clone, Debug)]
pub enum Value {
    /// Constant floats.
    Floats(Rc<Array<f32>>),
    /// Integers, known up to run-time lengths.
    Ints(Rc<Array<Dim>>),
    /// One value in a shape that may depend on run-time lengths.
    Uniform(Uniform),
    /// Constant floats, repeated as often as run-time lengths state.
    Repeated(Repeated),
    /// Values known at run time only.
    Data(Data),
}

impl Value {
    /// Creates constant floats.
    pub fn floats(array: Array<f32>) -> Self {
        Self::Floats(Rc::new(array))
    }

    /// Creates integers.
    pub fn ints(array: Array<Dim>) -> Self {
        Self::Ints(Rc::new(array))
    }

    /// Returns the number of axes.
    pub fn rank(&self) -> usize {
        match self {
            Self::Floats(array) => array.shape().len(),
            Self::Ints(array) => array.shape().len(),
            Self::Uniform(uniform) => uniform.shape.len(),
            Self::Repeated(repeated) => repeated.shape.len(),
            Self::Data(data) => data.axes.len(),
        }
    }

    /// Returns whether all values are the float 0.
    pub fn is_zeros(&self) -> bool {
        match self {
            Self::Floats(array) => array.values().iter().all(|&value| value == 0.0),
            Self::Uniform(uniform) => uniform.int.is_none(),
            Self::Repeated(repeated) => repeated.array.values().iter().all(|&value| value == 0.0),
            Self::Ints(_) | Self::Data(_) => false,
        }
    }
}

/// Maps a value: both kinds of constants by one expression, the shape of a uniform value by another, and data
/// by a third. Constants that are repeated are mapped by the first two.
macro_rules! map_constants {
    (
        $value:expr,
        $array:ident => $array_map:expr,
        $uniform:ident => $shape:expr,
        $data:ident => $next:expr
    ) => {
        match $value {
            Value::Floats($array) => Ok(Value::floats($array_map)),
            Value::Ints($array) => Ok(Value::ints($array_map)),
            Value::Uniform($uniform) => {
                let shape = $shape;
                Ok(Value::Uniform(Uniform { shape, ..$uniform }))
            }
            Value::Repeated(repeated) => {
                let $array = repeated.array();
                let array = $array_map;
                let $uniform = Uniform { int: None, shape: repeated.shape().to_vec() };
                Ok(Value::Repeated($crate::onnx::value::Repeated::new(array, $shape)?))
            }
            Value::Data($data) => $next,
        }
    };
}
pub(super) use map_constants;

/// Returns the index of an axis; negative ones count from the end.
///
/// # Errors
/// An axis out of range.
pub fn axis_index(axis: i64, rank: usize) -> Result<usize> {
    let from_start = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
    let axis = usize::try_from(from_start).ok().filter(|&axis| axis < rank);
    axis.with_context(|| format!("axis {from_start} of {rank}"))
}
