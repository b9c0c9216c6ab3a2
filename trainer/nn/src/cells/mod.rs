//! Recurrent cells over packed batches: forward, backward through time, and one step as the definition reads.
//!
//! A cell's parameters are matrices `[out x in]`; the rows of its gates lie one gate after another. Every state
//! (`h`, for an LSTM also `c`) is one matrix `[hidden x (sequences + columns)]`: the initial state of every
//! sequence, then the state after every step (see [`BatchSizes::state_after`]).

#[macro_use]
mod config;
pub mod gru;
pub mod lstm;
pub mod simple_rnn;

#[cfg(test)]
mod tests;

pub use config::{CellConfig, SharedOptions, WithSharedOptions, check};
pub use gru::Gru;
pub use lstm::Lstm;
pub use simple_rnn::SimpleRnn;

use embedded_rnn::Kind;
use rand_chacha::ChaCha8Rng;

use crate::export::{Activations, Packable, PackedLayout, Weights};
use crate::initializers::{glorot_uniform, orthogonal};
use crate::packed::BatchSizes;
use crate::tensor::{Matrix, Real};

/// What a backward pass through a cell found.
pub struct CellGradients<T: Real> {
    /// Of the parameters, in their order.
    pub parameters: Vec<Matrix<T>>,
    /// Of the input's share in the gates' pre-activations, `[gates * hidden x columns]`: with `w_ih` turned it
    /// gives the gradient of the frames.
    pub pre_activations: Matrix<T>,
}

/// What all recurrent cells share.
pub trait Cell<T: Real> {
    /// The number of features of a frame.
    fn input_size(&self) -> usize {
        self.w_ih().ncols()
    }

    /// The number of units.
    fn hidden_size(&self) -> usize;

    /// The names of the states, `h` first: it is the output.
    fn states(&self) -> &'static [&'static str];

    /// The input weights of all gates, `[gates * hidden x input]`.
    fn w_ih(&self) -> &Matrix<T>;

    /// Everything that is trained, by name, in a fixed order.
    fn parameters(&self) -> Vec<(&'static str, &Matrix<T>)>;

    /// The same, to change.
    fn parameters_mut(&mut self) -> Vec<&mut Matrix<T>>;

    /// Runs over the frames `x` of a packed batch, `[input x columns]`. `states` come with the initial states in
    /// place and are filled; the result is what [`Self::backward`] needs besides.
    fn forward(&self, x: &Matrix<T>, steps: &BatchSizes, states: &mut [Matrix<T>]) -> Vec<Matrix<T>>;

    /// Goes back through time. `saved` is what [`Self::forward`] gave; `d_states` come with the gradients that reach
    /// the states from outside, and end with the gradients of the initial states in their first columns.
    fn backward(
        &self,
        x: &Matrix<T>,
        steps: &BatchSizes,
        states: &[Matrix<T>],
        saved: &[Matrix<T>],
        d_states: &mut [Matrix<T>],
    ) -> CellGradients<T>;

    /// One step of one sequence, written as the definition reads: the reference that everything faster is compared
    /// with. Returns the pre-activations of the gates.
    fn step(&self, x: &[T], states: &mut [Vec<T>]) -> Vec<T>;
}

/// The input and the recurrent weights of all gates as Keras starts: Glorot-uniform, and orthogonal.
fn start<T: Real>(
    gates: usize,
    units: usize,
    input_size: usize,
    rng: &mut ChaCha8Rng,
) -> (Matrix<T>, Matrix<T>) {
    (glorot_uniform(gates * units, input_size, rng), orthogonal(gates * units, units, rng))
}

/// `w x + b`, of one frame.
fn affine_frame<T: Real>(w: &Matrix<T>, x: &[T], bias: &Matrix<T>) -> Vec<T> {
    let mut sums = bias.as_slice().to_vec();
    add_columns(&mut sums, w, x);
    sums
}

/// `sums += matrix vector`, column by column as the matrix lies.
pub(crate) fn add_columns<T: Real>(sums: &mut [T], matrix: &Matrix<T>, vector: &[T]) {
    for (column, &value) in matrix.as_slice().chunks_exact(matrix.nrows()).zip(vector) {
        sums.iter_mut().zip(column).for_each(|(sum, &weight)| *sum += weight * value);
    }
}

/// The table of cells: a cell is a file beside this one and a row here. Gives the rows to the macro `$then`.
macro_rules! with_cells {
    ($then:ident) => {
        $then! {
            "SimpleRNN" simple_rnn SimpleRnn SimpleRnnConfig,
            "LSTM" lstm Lstm LstmConfig,
            "GRU" gru Gru GruConfig,
        }
    };
}
pub(crate) use with_cells;

macro_rules! any_cell {
    ($($keras:literal $module:ident $cell:ident $config:ident,)*) => {
        /// Any of the cells.
        #[derive(Clone, Debug, PartialEq)]
        pub enum AnyCell<T: Real> {
            $(#[doc = concat!("Keras's `", $keras, "`.")] $cell($cell<T>),)*
        }

        impl<T: Real> AnyCell<T> {
            /// Its name in Keras and in a config.
            pub fn keras_name(&self) -> &'static str {
                match self { $(Self::$cell(_) => $keras,)* }
            }

            /// What all cells share.
            pub fn get(&self) -> &dyn Cell<T> {
                match self { $(Self::$cell(cell) => cell,)* }
            }

            /// The same, to change.
            pub fn get_mut(&mut self) -> &mut dyn Cell<T> {
                match self { $(Self::$cell(cell) => cell,)* }
            }

            /// The same cell in another kind of number.
            pub fn cast<U: Real>(&self) -> AnyCell<U> {
                match self { $(Self::$cell(cell) => AnyCell::$cell(cell.cast()),)* }
            }
        }

        /// The cell in a model file.
        impl AnyCell<f32> {
            /// Returns the layout, the weights and the activations.
            pub fn packable(&self) -> (&'static PackedLayout, Weights, Activations) {
                match self { $(Self::$cell(cell) => (cell.layout(), cell.weights(), cell.activations()),)* }
            }

            /// Builds the cell that has this layout; `None` if none does.
            pub fn from_packed(
                layout: &PackedLayout,
                weights: Weights,
                activations: Activations,
            ) -> Option<Self> {
                $(
                    if $cell::LAYOUTS.contains(layout) {
                        return Some(Self::$cell(Packable::from_packed(layout, weights, activations)));
                    }
                )*
                None
            }

            /// Returns the weights over the input and their biases, for a preceding affine map to be folded into.
            pub fn input_weights_mut(&mut self) -> (&mut Matrix<f32>, &mut Matrix<f32>) {
                match self { $(Self::$cell(cell) => cell.input_weights_mut(),)* }
            }
        }

        /// Iterates over the layouts of all cells.
        pub fn all_layouts() -> impl Iterator<Item = &'static PackedLayout> {
            [$($cell::<f32>::LAYOUTS,)*].into_iter().flatten()
        }

        /// Keras's name of every cell, and the options that tests go through.
        pub const VARIANTS: &[(&str, &[&str])] = &[$(($keras, $module::VARIANTS),)*];
    };
}

with_cells!(any_cell);

/// Returns the layout of the cells whose records have this kind; `None` if no cell has it.
pub fn layout_of(kind: Kind) -> Option<&'static PackedLayout> {
    all_layouts().find(|layout| layout.kind == kind)
}
