//! Long short-term memory.
//!
//! ```text
//! i = s(Wi x + Ui h + bi)   f = s(Wf x + Uf h + bf)   g = act(Wg x + Ug h + bg)   o = s(Wo x + Uo h + bo)
//! c' = f*c + i*g            h' = o*act(c')
//! ```
//! s is `recurrent_activation`, sigmoid by default, act is `activation`, tanh by default. Gate order: i f g
//! o. States: h, c.

use embedded_rnn::Kind as RecordKind;
use rand_chacha::ChaCha8Rng;

use super::{AnyCell, Cell, CellConfig, CellGradients, WithSharedOptions, add_columns, affine_frame, start};
use crate::activation::Activation;
use crate::export::{Activations, Blocks, Packable, PackedLayout, Panels, Role, Weights};
use crate::packed::BatchSizes;
use crate::tensor::{Matrix, Real, add_product, affine, cast, column_sum, product};

/// The weights of one layer of long short-term memory with `H` units over `I` features.
#[derive(Clone, Debug, PartialEq)]
pub struct Lstm<T: Real> {
    /// `[4H x I]`.
    pub w_ih: Matrix<T>,
    /// `[4H x H]`.
    pub w_hh: Matrix<T>,
    /// `[4H x 1]`: one bias per gate, as in Keras; importers add the two biases of PyTorch.
    pub bias: Matrix<T>,
    /// The activation of g and c'; tanh by default.
    pub activation: Activation,
    /// The activation of i, f and o; sigmoid by default.
    pub recurrent_activation: Activation,
    /// `true` if the biases are trained; otherwise they are zeros.
    pub use_bias: bool,
}

cell_config! {
    /// An `LSTM` layer in a config; names and defaults are Keras's.
    LstmConfig {
        /// The activation of the gates i, f and o; sigmoid by default.
        recurrent_activation: Activation,
        /// `true` if the biases of the forget gates start at one, which is the default.
        unit_forget_bias: bool,
    }
}

/// The options that tests, boards and benchmarks cover.
pub(super) const VARIANTS: &[&str] = &[
    "",
    "use_bias = false",
    "unit_forget_bias = false\nactivation = 'sigmoid'",
    "recurrent_activation = 'hard_sigmoid'",
    "recurrent_activation = 'hard_sigmoid_keras1'\nactivation = 'relu'",
    "recurrent_activation = 'tanh'\nactivation = 'linear'",
];

impl CellConfig for LstmConfig {
    fn layout(&self) -> &'static PackedLayout {
        &Lstm::LAYOUTS[0]
    }

    fn recurrent_activation(&self) -> Option<Activation> {
        self.recurrent_activation
    }

    /// Draws the initial weights of Keras: Glorot-uniform input weights, orthogonal recurrent weights, and
    /// biases of zero except for the forget gate, whose bias is one if `unit_forget_bias`.
    fn build(&self, input_size: usize, rng: &mut ChaCha8Rng) -> AnyCell<f32> {
        let shared = self.shared();
        let (w_ih, w_hh) = start(4, self.units, input_size, rng);
        let ones = shared.use_bias && self.unit_forget_bias.unwrap_or(true);
        let forget = self.units..2 * self.units;
        let bias = |row, _| if ones && forget.contains(&row) { 1.0 } else { 0.0 };
        AnyCell::Lstm(Lstm {
            activation: shared.activation,
            recurrent_activation: self.recurrent_activation.unwrap_or(Activation::Sigmoid),
            use_bias: shared.use_bias,
            ..Lstm::from_weights(w_ih, w_hh, Matrix::from_fn(4 * self.units, 1, bias))
        })
    }
}

impl<T: Real> Lstm<T> {
    /// Builds a cell from these weights, with Keras's defaults for all other options.
    pub fn from_weights(w_ih: Matrix<T>, w_hh: Matrix<T>, bias: Matrix<T>) -> Self {
        let (activation, recurrent_activation) = (Activation::Tanh, Activation::Sigmoid);
        Self { w_ih, w_hh, bias, activation, recurrent_activation, use_bias: true }
    }

    pub(super) fn cast<U: Real>(&self) -> Lstm<U> {
        Lstm {
            activation: self.activation,
            recurrent_activation: self.recurrent_activation,
            use_bias: self.use_bias,
            ..Lstm::from_weights(cast(&self.w_ih), cast(&self.w_hh), cast(&self.bias))
        }
    }
}

impl Packable for Lstm<f32> {
    const LAYOUTS: &'static [PackedLayout] = &[PackedLayout {
        kind: RecordKind::Lstm,
        keras_name: "LSTM",
        gates: &[Role::Gate, Role::Gate, Role::Value, Role::Gate],
        biases: 1,
        cell_state: true,
        panels: &[Panels::of(&[0, 1, 2, 3])],
        blocks: &[Blocks::Unit],
    }];

    fn activations(&self) -> Activations {
        Activations { value: self.activation, recurrent: self.recurrent_activation }
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
        Self {
            activation: activations.value,
            recurrent_activation: activations.recurrent,
            ..Self::from_weights(weights.w_ih, weights.w_hh, weights.bias)
        }
    }

    fn input_weights_mut(&mut self) -> (&mut Matrix<f32>, &mut Matrix<f32>) {
        self.use_bias = true;
        (&mut self.w_ih, &mut self.bias)
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
        let mut all = vec![("w_ih", &self.w_ih), ("w_hh", &self.w_hh), ("bias", &self.bias)];
        all.truncate(if self.use_bias { 3 } else { 2 });
        all
    }

    fn parameters_mut(&mut self) -> Vec<&mut Matrix<T>> {
        let mut all = vec![&mut self.w_ih, &mut self.w_hh, &mut self.bias];
        all.truncate(if self.use_bias { 3 } else { 2 });
        all
    }

    /// Saves the activated gates i f g o, `[4H x columns]`, and act(c'), `[H x columns]`.
    fn forward(&self, x: &Matrix<T>, steps: &BatchSizes, states: &mut [Matrix<T>]) -> Vec<Matrix<T>> {
        let hidden = self.hidden_size();
        let [h, c] = states else { panic!("an LSTM has two states") };
        let mut pre_activations = affine(&self.w_ih, x, &self.bias);
        let mut act_c = Matrix::zeros(hidden, steps.columns());
        for t in 0..steps.len() {
            add_product(&mut pre_activations, steps.at(t), &self.w_hh, h, steps.state_before(t));
            let offset = steps.state_after(t).start;
            let (c_before, c_after) = c.as_mut_slice().split_at_mut(offset * hidden);
            let c_before = &c_before[steps.state_before(t).start * hidden..];
            let h_after = &mut h.as_mut_slice()[offset * hidden..];
            let columns = steps.at(t);
            let block = columns.start * hidden..columns.end * hidden;
            let gates = &mut pre_activations.as_mut_slice()[4 * block.start..4 * block.end];
            let act_c = &mut act_c.as_mut_slice()[block];
            for (n, (gates, act_c)) in
                gates.chunks_exact_mut(4 * hidden).zip(act_c.chunks_exact_mut(hidden)).enumerate()
            {
                let unit = n * hidden..(n + 1) * hidden;
                self.forward_unit(
                    gates,
                    &c_before[unit.clone()],
                    &mut c_after[unit.clone()],
                    act_c,
                    &mut h_after[unit],
                );
            }
        }
        vec![pre_activations, act_c]
    }

    fn backward(
        &self,
        x: &Matrix<T>,
        steps: &BatchSizes,
        states: &[Matrix<T>],
        saved: &[Matrix<T>],
        d_states: &mut [Matrix<T>],
    ) -> CellGradients<T> {
        let hidden = self.hidden_size();
        let [d_h, d_c] = d_states else { panic!("an LSTM has two states") };
        let w_hh_transposed = self.w_hh.transpose();
        let mut d_pre = Matrix::zeros(4 * hidden, steps.columns());
        for t in (0..steps.len()).rev() {
            let (before, after) = (steps.state_before(t).start, steps.state_after(t).start);
            for (n, column) in steps.at(t).enumerate() {
                let from = |offset: usize| (offset + n) * hidden..(offset + n + 1) * hidden;
                let (d_c_before, d_c_after) = d_c.as_mut_slice().split_at_mut(after * hidden);
                self.backward_unit(
                    &saved[0].as_slice()[column * 4 * hidden..][..4 * hidden],
                    &saved[1].as_slice()[column * hidden..][..hidden],
                    &states[1].as_slice()[from(before)],
                    &d_h.as_slice()[from(after)],
                    (&d_c_after[from(0)], &mut d_c_before[from(before)]),
                    &mut d_pre.as_mut_slice()[column * 4 * hidden..][..4 * hidden],
                );
            }
            add_product(d_h, steps.state_before(t), &w_hh_transposed, &d_pre, steps.at(t));
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
        let hidden = self.hidden_size();
        let (act, gate) = (|x| self.activation.of(x), |x| self.recurrent_activation.of(x));
        for k in 0..hidden {
            let [i, f, g, o] = [0, 1, 2, 3].map(|gate| pre_activations[gate * hidden + k]);
            let c = gate(f) * states[1][k] + gate(i) * act(g);
            states[1][k] = c;
            states[0][k] = gate(o) * act(c);
        }
        pre_activations
    }
}

impl<T: Real> Lstm<T> {
    /// Computes one time step of one sequence: replaces the pre-activations by the gates, and computes c' =
    /// f*c + i*g, h' = o*act(c').
    fn forward_unit(&self, gates: &mut [T], c: &[T], c_after: &mut [T], act_c: &mut [T], h_after: &mut [T]) {
        let hidden = c.len();
        self.recurrent_activation.forward(&mut gates[..2 * hidden]);
        self.activation.forward(&mut gates[2 * hidden..3 * hidden]);
        self.recurrent_activation.forward(&mut gates[3 * hidden..]);
        let [i, f, g, o] = [0, 1, 2, 3].map(|gate| &gates[gate * hidden..][..hidden]);
        for (k, c_after) in c_after.iter_mut().enumerate() {
            *c_after = f[k] * c[k] + i[k] * g[k];
        }
        act_c.copy_from_slice(c_after);
        self.activation.forward(act_c);
        for ((h, &o), &act_c) in h_after.iter_mut().zip(o).zip(&*act_c) {
            *h = o * act_c;
        }
    }

    /// Runs the backward pass of one time step of one sequence: computes the gradients of the pre-activations
    /// from those of h' and c', and adds the gradient of c to the one that came from outside.
    fn backward_unit(
        &self,
        gates: &[T],
        act_c: &[T],
        c: &[T],
        d_h: &[T],
        (d_c_after, d_c): (&[T], &mut [T]),
        d_pre: &mut [T],
    ) {
        let hidden = c.len();
        let [i, f, g, o] = [0, 1, 2, 3].map(|gate| &gates[gate * hidden..][..hidden]);
        let (act_c, d_h) = (&act_c[..hidden], &d_h[..hidden]);
        let (d_c_after, d_c) = (&d_c_after[..hidden], &mut d_c[..hidden]);
        let (d_if, rest) = d_pre.split_at_mut(2 * hidden);
        let (d_i, d_f) = d_if.split_at_mut(hidden);
        let (d_g, d_o) = rest.split_at_mut(hidden);
        // The gradient that reaches c' through h'; the place of d_g is still free.
        (0..hidden).for_each(|k| d_g[k] = d_h[k] * o[k]);
        self.activation.backward(act_c, d_g);
        for k in 0..hidden {
            let d_cell = d_c_after[k] + d_g[k];
            d_i[k] = d_cell * g[k];
            d_f[k] = d_cell * c[k];
            d_g[k] = d_cell * i[k];
            d_o[k] = d_h[k] * act_c[k];
            d_c[k] += d_cell * f[k];
        }
        self.recurrent_activation.backward(&gates[..2 * hidden], d_if);
        self.activation.backward(g, d_g);
        self.recurrent_activation.backward(o, d_o);
    }
}
