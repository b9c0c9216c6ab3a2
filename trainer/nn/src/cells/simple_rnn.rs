//! The simple recurrent cell (Elman network).
//!
//! ```text
//! h' = act(W x + U h + b)
//! ```
//! States: h.

use embedded_rnn::Kind as RecordKind;
use rand_chacha::ChaCha8Rng;

use super::{AnyCell, Cell, CellConfig, CellGradients, WithSharedOptions, add_columns, affine_frame, start};
use crate::activation::Activation;
use crate::export::{Activations, Packable, PackedLayout, Weights};
use crate::packed::BatchSizes;
use crate::tensor::{Matrix, Real, add_product, affine, cast, column_sum, product};

/// The weights of one simple recurrent layer with `H` units over `I` features.
#[derive(Clone, Debug, PartialEq)]
pub struct SimpleRnn<T: Real> {
    /// `[H x I]`.
    pub w_ih: Matrix<T>,
    /// `[H x H]`.
    pub w_hh: Matrix<T>,
    /// `[H x 1]`.
    pub bias: Matrix<T>,
    /// The activation; tanh by default.
    pub activation: Activation,
    /// `true` if the biases are trained; otherwise they are zeros.
    pub use_bias: bool,
}

cell_config! {
    /// A `SimpleRNN` layer in a config; names and defaults are Keras's.
    SimpleRnnConfig {}
}

/// The options that tests, boards and benchmarks cover.
pub(super) const VARIANTS: &[&str] = &[
    "",
    "use_bias = false",
    "activation = 'relu'",
    "activation = 'sigmoid'",
    "activation = 'linear'",
    "activation = 'hard_sigmoid'",
    "activation = 'hard_sigmoid_keras1'",
];

impl CellConfig for SimpleRnnConfig {
    fn layout(&self) -> &'static PackedLayout {
        &SimpleRnn::LAYOUTS[0]
    }

    /// Draws the initial weights of Keras: Glorot-uniform input weights, orthogonal recurrent weights, biases
    /// of zero.
    fn build(&self, input_size: usize, rng: &mut ChaCha8Rng) -> AnyCell<f32> {
        let shared = self.shared();
        let (w_ih, w_hh) = start(1, self.units, input_size, rng);
        let bias = Matrix::zeros(self.units, 1);
        let cell = SimpleRnn::from_weights(w_ih, w_hh, bias, shared.activation);
        AnyCell::SimpleRnn(SimpleRnn { use_bias: shared.use_bias, ..cell })
    }
}

impl<T: Real> SimpleRnn<T> {
    /// Builds a cell from these weights, with Keras's defaults for all other options.
    pub fn from_weights(w_ih: Matrix<T>, w_hh: Matrix<T>, bias: Matrix<T>, activation: Activation) -> Self {
        Self { w_ih, w_hh, bias, activation, use_bias: true }
    }

    pub(super) fn cast<U: Real>(&self) -> SimpleRnn<U> {
        SimpleRnn {
            w_ih: cast(&self.w_ih),
            w_hh: cast(&self.w_hh),
            bias: cast(&self.bias),
            activation: self.activation,
            use_bias: self.use_bias,
        }
    }
}

impl Packable for SimpleRnn<f32> {
    const LAYOUTS: &'static [PackedLayout] = &[PackedLayout::ungated(RecordKind::SimpleRnn, "SimpleRNN")];

    fn activations(&self) -> Activations {
        Activations { value: self.activation, recurrent: Activation::Linear }
    }

    fn weights(&self) -> Weights {
        Weights {
            w_ih: self.w_ih.clone(),
            w_hh: self.w_hh.clone(),
            bias: self.bias.clone(),
            recurrent_bias: Matrix::zeros(self.bias.nrows(), 1),
        }
    }

    fn from_packed(_: &PackedLayout, weights: Weights, activations: Activations) -> Self {
        Self::from_weights(weights.w_ih, weights.w_hh, weights.bias, activations.value)
    }

    fn input_weights_mut(&mut self) -> (&mut Matrix<f32>, &mut Matrix<f32>) {
        self.use_bias = true;
        (&mut self.w_ih, &mut self.bias)
    }
}

impl<T: Real> Cell<T> for SimpleRnn<T> {
    fn hidden_size(&self) -> usize {
        self.w_hh.ncols()
    }

    fn states(&self) -> &'static [&'static str] {
        &["h"]
    }

    fn w_ih(&self) -> &Matrix<T> {
        &self.w_ih
    }

    fn parameters(&self) -> Vec<(&'static str, &Matrix<T>)> {
        let mut all = vec![("w_ih", &self.w_ih), ("w_hh", &self.w_hh), ("bias", &self.bias)];
        all.truncate(if self.use_bias { 3 } else { 2 });
        all
    }

    fn parameters_mut(&mut self) -> Vec<&mut Matrix<T>> {
        let mut all = vec![&mut self.w_ih, &mut self.w_hh, &mut self.bias];
        all.truncate(if self.use_bias { 3 } else { 2 });
        all
    }

    /// Saves nothing: the backward pass needs the outputs only.
    fn forward(&self, x: &Matrix<T>, steps: &BatchSizes, states: &mut [Matrix<T>]) -> Vec<Matrix<T>> {
        let hidden = self.hidden_size();
        let mut pre_activations = affine(&self.w_ih, x, &self.bias);
        for t in 0..steps.len() {
            add_product(&mut pre_activations, steps.at(t), &self.w_hh, &states[0], steps.state_before(t));
            let columns = steps.at(t);
            let block = &mut pre_activations.as_mut_slice()[columns.start * hidden..columns.end * hidden];
            block.chunks_exact_mut(hidden).for_each(|column| self.activation.forward(column));
            let after = steps.state_after(t);
            states[0].as_mut_slice()[after.start * hidden..after.end * hidden].copy_from_slice(block);
        }
        Vec::new()
    }

    fn backward(
        &self,
        x: &Matrix<T>,
        steps: &BatchSizes,
        states: &[Matrix<T>],
        _kept: &[Matrix<T>],
        d_states: &mut [Matrix<T>],
    ) -> CellGradients<T> {
        let hidden = self.hidden_size();
        let w_hh_transposed = self.w_hh.transpose();
        let mut d_pre = Matrix::zeros(hidden, steps.columns());
        for t in (0..steps.len()).rev() {
            let (columns, after) = (steps.at(t), steps.state_after(t));
            let after = after.start * hidden..after.end * hidden;
            let block = &mut d_pre.as_mut_slice()[columns.start * hidden..columns.end * hidden];
            block.copy_from_slice(&d_states[0].as_slice()[after.clone()]);
            let outputs = states[0].as_slice()[after].chunks_exact(hidden);
            block.chunks_exact_mut(hidden).zip(outputs).for_each(|(d, h)| self.activation.backward(h, d));
            add_product(&mut d_states[0], steps.state_before(t), &w_hh_transposed, &d_pre, steps.at(t));
        }
        let w_ih = product(&d_pre, &x.transpose());
        let w_hh = product(&d_pre, &steps.before_each(&states[0]).transpose());
        let mut parameters = vec![w_ih, w_hh];
        if self.use_bias {
            parameters.push(column_sum(&d_pre));
        }
        CellGradients { parameters, pre_activations: d_pre }
    }

    fn step(&self, x: &[T], states: &mut [Vec<T>]) -> Vec<T> {
        let mut pre_activations = affine_frame(&self.w_ih, x, &self.bias);
        add_columns(&mut pre_activations, &self.w_hh, &states[0]);
        states[0].copy_from_slice(&pre_activations);
        self.activation.forward(&mut states[0]);
        pre_activations
    }
}
