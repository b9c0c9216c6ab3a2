//! Long short-term memory.
//!
//! ```text
//! i = s(Wi x + Ui h + bi)   f = s(Wf x + Uf h + bf)   g = tanh(Wg x + Ug h + bg)   o = s(Wo x + Uo h + bo)
//! c' = f*c + i*g            h' = o*tanh(c')
//! ```
//! Gate order: i f g o. States: h, c.

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{AnyCell, Cell, CellConfig, CellGradients, pre_activations};
use crate::initializers::{glorot_uniform, orthogonal};
use crate::tensor::{Matrix, Real, Steps, add_product, affine, cast, column_sum, product};

/// The weights of one layer of long short-term memory with `H` units over `I` features.
#[derive(Clone, Debug, PartialEq)]
pub struct Lstm<T: Real> {
    /// `[4H x I]`.
    pub w_ih: Matrix<T>,
    /// `[4H x H]`.
    pub w_hh: Matrix<T>,
    /// `[4H x 1]`: one bias a gate, as in Keras; importers add up PyTorch's two.
    pub bias: Matrix<T>,
}

/// An `LSTM` layer in a config; names and defaults are Keras's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LstmConfig {
    /// Its name.
    pub name: Option<String>,
    /// The number of units.
    pub units: usize,
    /// Whether the biases of the forget gates start at one.
    #[serde(default = "yes")]
    pub unit_forget_bias: bool,
    /// Whether the output of every step goes on.
    #[serde(default)]
    pub return_sequences: bool,
}

fn yes() -> bool {
    true
}

impl CellConfig for LstmConfig {
    fn return_sequences(&self) -> bool {
        self.return_sequences
    }

    fn gates(&self) -> u64 {
        4
    }

    fn build(&self, input_size: usize, rng: &mut ChaCha8Rng) -> AnyCell<f32> {
        AnyCell::Lstm(Lstm::new(input_size, self.units, self.unit_forget_bias, rng))
    }
}

impl<T: Real> Lstm<T> {
    /// As Keras starts: Glorot-uniform input weights, orthogonal recurrent weights, and biases of zero but for the
    /// forget gate, whose bias is one if `unit_forget_bias`.
    pub fn new(input_size: usize, units: usize, unit_forget_bias: bool, rng: &mut ChaCha8Rng) -> Self {
        let forget = units..2 * units;
        let bias = |row, _| if unit_forget_bias && forget.contains(&row) { T::one() } else { T::zero() };
        Self {
            w_ih: glorot_uniform(4 * units, input_size, rng),
            w_hh: orthogonal(4 * units, units, rng),
            bias: Matrix::from_fn(4 * units, 1, bias),
        }
    }

    pub(super) fn cast<U: Real>(&self) -> Lstm<U> {
        Lstm { w_ih: cast(&self.w_ih), w_hh: cast(&self.w_hh), bias: cast(&self.bias) }
    }
}

impl<T: Real> Cell<T> for Lstm<T> {
    fn hidden_size(&self) -> usize {
        self.w_hh.ncols()
    }

    fn states(&self) -> &'static [&'static str] {
        &["h", "c"]
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

    /// Keeps the activated gates i f g o, `[4H x columns]`, and tanh(c'), `[H x columns]`.
    fn forward(&self, x: &Matrix<T>, steps: &Steps, states: &mut [Matrix<T>]) -> Vec<Matrix<T>> {
        let hidden = self.hidden_size();
        let [h, c] = states else { panic!("an LSTM has two states") };
        let mut sums = affine(&self.w_ih, x, &self.bias);
        let mut tanh_c = Matrix::zeros(hidden, steps.columns());
        for t in 0..steps.len() {
            add_product(&mut sums, steps.at(t), &self.w_hh, h, steps.state_before(t));
            let offset = steps.state_after(t).start;
            let (c_before, c_after) = c.as_mut_slice().split_at_mut(offset * hidden);
            let c_before = &c_before[steps.state_before(t).start * hidden..];
            let h_after = &mut h.as_mut_slice()[offset * hidden..];
            let columns = steps.at(t);
            let block = columns.start * hidden..columns.end * hidden;
            let gates = &mut sums.as_mut_slice()[4 * block.start..4 * block.end];
            let tanh_c = &mut tanh_c.as_mut_slice()[block];
            for (n, (gates, tanh_c)) in
                gates.chunks_exact_mut(4 * hidden).zip(tanh_c.chunks_exact_mut(hidden)).enumerate()
            {
                let unit = n * hidden..(n + 1) * hidden;
                advance(
                    gates,
                    &c_before[unit.clone()],
                    &mut c_after[unit.clone()],
                    tanh_c,
                    &mut h_after[unit],
                );
            }
        }
        vec![sums, tanh_c]
    }

    fn backward(
        &self,
        x: &Matrix<T>,
        steps: &Steps,
        states: &[Matrix<T>],
        kept: &[Matrix<T>],
        d_states: &mut [Matrix<T>],
    ) -> CellGradients<T> {
        let hidden = self.hidden_size();
        let [d_h, d_c] = d_states else { panic!("an LSTM has two states") };
        let w_hh_turned = self.w_hh.transpose();
        let mut d_sums = Matrix::zeros(4 * hidden, steps.columns());
        for t in (0..steps.len()).rev() {
            let (before, after) = (steps.state_before(t).start, steps.state_after(t).start);
            for (n, column) in steps.at(t).enumerate() {
                let from = |offset: usize| (offset + n) * hidden..(offset + n + 1) * hidden;
                let (d_c_before, d_c_after) = d_c.as_mut_slice().split_at_mut(after * hidden);
                retreat(
                    &kept[0].as_slice()[column * 4 * hidden..][..4 * hidden],
                    &kept[1].as_slice()[column * hidden..][..hidden],
                    &states[1].as_slice()[from(before)],
                    &d_h.as_slice()[from(after)],
                    (&d_c_after[from(0)], &mut d_c_before[from(before)]),
                    &mut d_sums.as_mut_slice()[column * 4 * hidden..][..4 * hidden],
                );
            }
            add_product(d_h, steps.state_before(t), &w_hh_turned, &d_sums, steps.at(t));
        }
        let w_ih = product(&d_sums, &x.transpose());
        let w_hh = product(&d_sums, &steps.before_each(&states[0]).transpose());
        CellGradients { parameters: vec![w_ih, w_hh, column_sum(&d_sums)], input_sums: d_sums }
    }

    fn step(&self, x: &[T], states: &mut [Vec<T>]) -> Vec<T> {
        let sums = pre_activations(&self.w_ih, x, &self.w_hh, &states[0], &self.bias);
        let hidden = self.hidden_size();
        let sigmoid = |z: T| T::one() / (T::one() + (-z).exp());
        for k in 0..hidden {
            let [i, f, g, o] = [0, 1, 2, 3].map(|gate| sums[gate * hidden + k]);
            let c = sigmoid(f) * states[1][k] + sigmoid(i) * g.tanh();
            states[1][k] = c;
            states[0][k] = sigmoid(o) * c.tanh();
        }
        sums
    }
}

/// One sequence, one step: the sums become gates in place; c' = f*c + i*g, h' = o*tanh(c').
fn advance<T: Real>(gates: &mut [T], c: &[T], c_after: &mut [T], tanh_c: &mut [T], h_after: &mut [T]) {
    let hidden = c.len();
    T::sigmoid_each(&mut gates[..2 * hidden]);
    T::tanh_each(&mut gates[2 * hidden..3 * hidden]);
    T::sigmoid_each(&mut gates[3 * hidden..]);
    let [i, f, g, o] = [0, 1, 2, 3].map(|gate| &gates[gate * hidden..][..hidden]);
    for (k, c_after) in c_after.iter_mut().enumerate() {
        *c_after = f[k] * c[k] + i[k] * g[k];
    }
    tanh_c.copy_from_slice(c_after);
    T::tanh_each(tanh_c);
    for ((h, &o), &tanh_c) in h_after.iter_mut().zip(o).zip(&*tanh_c) {
        *h = o * tanh_c;
    }
}

/// One sequence, one step back: from the gradients of h' and c' to those of the sums, and of c (added to what
/// came from outside).
fn retreat<T: Real>(
    gates: &[T],
    tanh_c: &[T],
    c: &[T],
    d_h: &[T],
    (d_c_after, d_c): (&[T], &mut [T]),
    d_sums: &mut [T],
) {
    let hidden = c.len();
    let [i, f, g, o] = [0, 1, 2, 3].map(|gate| &gates[gate * hidden..][..hidden]);
    let (d_i, rest) = d_sums.split_at_mut(hidden);
    let (d_f, rest) = rest.split_at_mut(hidden);
    let (d_g, d_o) = rest.split_at_mut(hidden);
    let (tanh_c, d_h, d_o) = (&tanh_c[..hidden], &d_h[..hidden], &mut d_o[..hidden]);
    let (d_c_after, d_c) = (&d_c_after[..hidden], &mut d_c[..hidden]);
    let one = T::one();
    for k in 0..hidden {
        let d_cell = d_c_after[k] + d_h[k] * o[k] * (one - tanh_c[k] * tanh_c[k]);
        d_i[k] = d_cell * g[k] * i[k] * (one - i[k]);
        d_f[k] = d_cell * c[k] * f[k] * (one - f[k]);
        d_g[k] = d_cell * i[k] * (one - g[k] * g[k]);
        d_o[k] = d_h[k] * tanh_c[k] * o[k] * (one - o[k]);
        d_c[k] += d_cell * f[k];
    }
}
