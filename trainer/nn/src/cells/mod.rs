//! Recurrent cells over packed batches: the forward pass, backpropagation through time, and the reference
//! time step.
//!
//! The parameters of a cell are matrices `[out x in]`; the rows of its gates follow one gate after another.
//! Every state (`h`, for an LSTM also `c`) is one matrix `[hidden x (sequences + columns)]`: the initial
//! state of every sequence, then the state after every time step (see [`BatchSizes::state_after`]).

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

/// The gradients of a backward pass through a cell.
pub struct CellGradients<T: Real> {
    /// The gradients of the parameters, in their order.
    pub parameters: Vec<Matrix<T>>,
    /// The gradients of the input's share of the pre-activations, `[gates * hidden x columns]`: their product
    /// with the transposed `w_ih` is the gradient of the frames.
    pub pre_activations: Matrix<T>,
}

/// The interface that all recurrent cells share.
pub trait Cell<T: Real> {
    /// Returns the number of features per frame.
    fn input_size(&self) -> usize {
        self.w_ih().ncols()
    }

    /// Returns the number of units.
    fn hidden_size(&self) -> usize;

    /// Returns the names of the states; the first one, `h`, is the output.
    fn states(&self) -> &'static [&'static str];

    /// Returns the input weights of all gates, `[gates * hidden x input]`.
    fn w_ih(&self) -> &Matrix<T>;

    /// Returns all trained parameters by name, in a fixed order.
    fn parameters(&self) -> Vec<(&'static str, &Matrix<T>)>;

    /// Returns mutable references to all trained parameters, in the same order.
    fn parameters_mut(&mut self) -> Vec<&mut Matrix<T>>;

    /// Runs the forward pass over the frames `x` of a packed batch, `[input x columns]`. `states` start with
    /// the initial states and are filled. Returns the saved activations that [`Self::backward`] needs in
    /// addition.
    fn forward(&self, x: &Matrix<T>, steps: &BatchSizes, states: &mut [Matrix<T>]) -> Vec<Matrix<T>>;

    /// Runs backpropagation through time. `saved` are the activations that [`Self::forward`] returned.
    /// `d_states` hold the gradients that reach the states from outside, and on return the gradients of the
    /// initial states in their first columns. In the other columns, those of `h` are then complete.
    fn backward(
        &self,
        x: &Matrix<T>,
        steps: &BatchSizes,
        states: &[Matrix<T>],
        saved: &[Matrix<T>],
        d_states: &mut [Matrix<T>],
    ) -> CellGradients<T>;

    /// Computes one time step of one sequence exactly as the equations state it, as the reference for all
    /// optimized code. Returns the pre-activations of the gates.
    fn step(&self, x: &[T], states: &mut [Vec<T>]) -> Vec<T>;
}

/// Draws the initial input and recurrent weights of all gates as Keras does: Glorot-uniform and orthogonal.
fn start<T: Real>(
    gates: usize,
    units: usize,
    input_size: usize,
    rng: &mut ChaCha8Rng,
) -> (Matrix<T>, Matrix<T>) {
    (glorot_uniform(gates * units, input_size, rng), orthogonal(gates * units, units, rng))
}

/// Computes `w x + b` for one frame.
fn affine_frame<T: Real>(w: &Matrix<T>, x: &[T], bias: &Matrix<T>) -> Vec<T> {
    let mut out = bias.as_slice().to_vec();
    add_columns(&mut out, w, x);
    out
}

/// Adds `matrix vector` to `out`, column by column in memory order.
pub(crate) fn add_columns<T: Real>(out: &mut [T], matrix: &Matrix<T>, vector: &[T]) {
    for (column, &value) in matrix.as_slice().chunks_exact(matrix.nrows()).zip(vector) {
        out.iter_mut().zip(column).for_each(|(sum, &weight)| *sum += weight * value);
    }
}

/// The table of cells: a cell is a file in this folder and a row here. The macro passes the rows to the macro
/// `$then`.
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
        /// A cell of any type.
        #[derive(Clone, Debug, PartialEq)]
        pub enum AnyCell<T: Real> {
            $(#[doc = concat!("Keras's `", $keras, "`.")] $cell($cell<T>),)*
        }

        impl<T: Real> AnyCell<T> {
            /// Returns the name in Keras and in a config.
            pub fn keras_name(&self) -> &'static str {
                match self { $(Self::$cell(_) => $keras,)* }
            }

            /// Returns the interface that all cells share.
            pub fn get(&self) -> &dyn Cell<T> {
                match self { $(Self::$cell(cell) => cell,)* }
            }

            /// Returns the interface that all cells share, to change the cell.
            pub fn get_mut(&mut self) -> &mut dyn Cell<T> {
                match self { $(Self::$cell(cell) => cell,)* }
            }

            /// Converts the cell to another number type.
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

            /// Returns the input weights and their biases, into which a preceding affine map is folded.
            pub fn input_weights_mut(&mut self) -> (&mut Matrix<f32>, &mut Matrix<f32>) {
                match self { $(Self::$cell(cell) => cell.input_weights_mut(),)* }
            }
        }

        /// Iterates over the layouts of all cells.
        pub fn all_layouts() -> impl Iterator<Item = &'static PackedLayout> {
            [$($cell::<f32>::LAYOUTS,)*].into_iter().flatten()
        }

        /// Keras's name of every cell, and the options that tests cover.
        pub const VARIANTS: &[(&str, &[&str])] = &[$(($keras, $module::VARIANTS),)*];
    };
}

with_cells!(any_cell);

/// Returns the layout of the cells whose records have this kind; `None` if no cell has it.
pub fn layout_of(kind: Kind) -> Option<&'static PackedLayout> {
    all_layouts().find(|layout| layout.kind == kind)
}
