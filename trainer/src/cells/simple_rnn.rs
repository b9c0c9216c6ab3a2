//! The plain recurrent cell.
//!
//! ```text
//! h' = act(W x + U h + b)
//! ```
//! States: h.

use anyhow::{Result, ensure};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{AnyCell, Cell, CellConfig, CellGradients, pre_activations};
use crate::activation::Activation;
use crate::initializers::{glorot_uniform, orthogonal};
use crate::tensor::{Matrix, Real, Steps, add_product, affine, cast, column_sum, product};

/// The weights of one plain recurrent layer with `H` units over `I` features.
#[derive(Clone, Debug, PartialEq)]
pub struct SimpleRnn<T: Real> {
    /// `[H x I]`.
    pub w_ih: Matrix<T>,
    /// `[H x H]`.
    pub w_hh: Matrix<T>,
    /// `[H x 1]`.
    pub bias: Matrix<T>,
    /// What is done to the sums: tanh unless said otherwise.
    pub activation: Activation,
}

/// A `SimpleRNN` layer in a config; names and defaults are Keras's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimpleRnnConfig {
    /// Its name.
    pub name: Option<String>,
    /// The number of units.
    pub units: usize,
    /// tanh unless said otherwise.
    #[serde(default = "tanh")]
    pub activation: Activation,
    /// Whether the output of every step goes on.
    #[serde(default)]
    pub return_sequences: bool,
}

fn tanh() -> Activation {
    Activation::Tanh
}

impl CellConfig for SimpleRnnConfig {
    fn return_sequences(&self) -> bool {
        self.return_sequences
    }

    fn gates(&self) -> u64 {
        1
    }

    fn check(&self) -> Result<()> {
        ensure!(self.activation != Activation::Softmax, "activation: softmax is for Dense");
        Ok(())
    }

    fn build(&self, input_size: usize, rng: &mut ChaCha8Rng) -> AnyCell<f32> {
        AnyCell::SimpleRnn(SimpleRnn::new(input_size, self.units, self.activation, rng))
    }
}

impl<T: Real> SimpleRnn<T> {
    /// As Keras starts: Glorot-uniform input weights, orthogonal recurrent weights, biases of zero.
    pub fn new(input_size: usize, units: usize, activation: Activation, rng: &mut ChaCha8Rng) -> Self {
        Self {
            w_ih: glorot_uniform(units, input_size, rng),
            w_hh: orthogonal(units, units, rng),
            bias: Matrix::zeros(units, 1),
            activation,
        }
    }

    pub(super) fn cast<U: Real>(&self) -> SimpleRnn<U> {
        SimpleRnn {
            w_ih: cast(&self.w_ih),
            w_hh: cast(&self.w_hh),
            bias: cast(&self.bias),
            activation: self.activation,
        }
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
        vec![("w_ih", &self.w_ih), ("w_hh", &self.w_hh), ("bias", &self.bias)]
    }

    fn parameters_mut(&mut self) -> Vec<&mut Matrix<T>> {
        vec![&mut self.w_ih, &mut self.w_hh, &mut self.bias]
    }

    /// Keeps nothing: the outputs are enough to go back.
    fn forward(&self, x: &Matrix<T>, steps: &Steps, states: &mut [Matrix<T>]) -> Vec<Matrix<T>> {
        let hidden = self.hidden_size();
        let mut sums = affine(&self.w_ih, x, &self.bias);
        for t in 0..steps.len() {
            add_product(&mut sums, steps.at(t), &self.w_hh, &states[0], steps.state_before(t));
            let columns = steps.at(t);
            let block = &mut sums.as_mut_slice()[columns.start * hidden..columns.end * hidden];
            block.chunks_exact_mut(hidden).for_each(|column| self.activation.forward(column));
            let after = steps.state_after(t);
            states[0].as_mut_slice()[after.start * hidden..after.end * hidden].copy_from_slice(block);
        }
        Vec::new()
    }

    fn backward(
        &self,
        x: &Matrix<T>,
        steps: &Steps,
        states: &[Matrix<T>],
        _kept: &[Matrix<T>],
        d_states: &mut [Matrix<T>],
    ) -> CellGradients<T> {
        let hidden = self.hidden_size();
        let w_hh_turned = self.w_hh.transpose();
        let mut d_sums = Matrix::zeros(hidden, steps.columns());
        for t in (0..steps.len()).rev() {
            let (columns, after) = (steps.at(t), steps.state_after(t));
            let after = after.start * hidden..after.end * hidden;
            let block = &mut d_sums.as_mut_slice()[columns.start * hidden..columns.end * hidden];
            block.copy_from_slice(&d_states[0].as_slice()[after.clone()]);
            let outputs = states[0].as_slice()[after].chunks_exact(hidden);
            block.chunks_exact_mut(hidden).zip(outputs).for_each(|(d, h)| self.activation.backward(h, d));
            add_product(&mut d_states[0], steps.state_before(t), &w_hh_turned, &d_sums, steps.at(t));
        }
        let w_ih = product(&d_sums, &x.transpose());
        let w_hh = product(&d_sums, &steps.before_each(&states[0]).transpose());
        CellGradients { parameters: vec![w_ih, w_hh, column_sum(&d_sums)], input_sums: d_sums }
    }

    fn step(&self, x: &[T], states: &mut [Vec<T>]) -> Vec<T> {
        let sums = pre_activations(&self.w_ih, x, &self.w_hh, &states[0], &self.bias);
        states[0].copy_from_slice(&sums);
        self.activation.forward(&mut states[0]);
        sums
    }
}
