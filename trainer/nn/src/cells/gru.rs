//! Gated recurrent unit.
//!
//! ```text
//! z = s(Wz x + bz + Uz h + rz)   r = s(Wr x + br + Ur h + rr)
//! n = act(Wn x + bn + r*(Un h + rn))   reset after, the default (Keras 2 and 3, PyTorch)
//! n = act(Wn x + bn + Un (r*h))        reset before (Cho et al., 2014; Keras 1)
//! h' = z*h + (1-z)*n
//! ```
//! s is `recurrent_activation`, sigmoid by default, act is `activation`, tanh by default. Gate order: z r n.
//! States: h. Only the form with reset after has recurrent biases. As in Keras, z and r have both biases,
//! which are trained separately although only their sum matters.

mod after;
mod before;

use embedded_rnn::Kind as RecordKind;
use rand_chacha::ChaCha8Rng;

use super::{AnyCell, Cell, CellConfig, CellGradients, WithSharedOptions, add_columns, affine_frame, start};
use crate::activation::Activation;
use crate::export::{Activations, BlockPart, Blocks, Packable, PackedLayout, Panels, Role, Sides, Weights};
use crate::packed::BatchSizes;
use crate::tensor::{Matrix, Real, cast, column_sum, product};

/// The weights of one layer of gated recurrent units with `H` units over `I` features.
#[derive(Clone, Debug, PartialEq)]
pub struct Gru<T: Real> {
    /// `[3H x I]`.
    pub w_ih: Matrix<T>,
    /// `[3H x H]`.
    pub w_hh: Matrix<T>,
    /// `[3H x 1]`: Keras's first row of biases.
    pub bias: Matrix<T>,
    /// `[3H x 1]`: Keras's second row; zeros with reset before.
    pub recurrent_bias: Matrix<T>,
    /// The activation of n; tanh by default.
    pub activation: Activation,
    /// The activation of z and r; sigmoid by default.
    pub recurrent_activation: Activation,
    /// `true` if r is applied after the product of Un and h, not to h before it.
    pub reset_after: bool,
    /// `true` if the biases are trained; otherwise they are zeros.
    pub use_bias: bool,
}

cell_config! {
    /// A `GRU` layer in a config; names and defaults are Keras's.
    GruConfig {
        /// The activation of the gates z and r; sigmoid by default.
        recurrent_activation: Activation,
        /// `true` if the reset gate is applied after the recurrent product, which is the default.
        reset_after: bool,
    }
}

/// The options that tests, boards and benchmarks cover.
pub(super) const VARIANTS: &[&str] = &[
    "",
    "use_bias = false",
    "activation = 'relu'\nrecurrent_activation = 'hard_sigmoid'",
    "reset_after = false",
    "reset_after = false\nuse_bias = false",
    "reset_after = false\nrecurrent_activation = 'hard_sigmoid_keras1'\nactivation = 'linear'",
];

impl CellConfig for GruConfig {
    fn layout(&self) -> &'static PackedLayout {
        layout_for(self.reset_after.unwrap_or(true))
    }

    fn recurrent_activation(&self) -> Option<Activation> {
        self.recurrent_activation
    }

    /// Draws the initial weights of Keras: Glorot-uniform input weights, orthogonal recurrent weights, biases
    /// of zero.
    fn build(&self, input_size: usize, rng: &mut ChaCha8Rng) -> AnyCell<f32> {
        let shared = self.shared();
        let (w_ih, w_hh) = start(3, self.units, input_size, rng);
        AnyCell::Gru(Gru {
            w_ih,
            w_hh,
            bias: Matrix::zeros(3 * self.units, 1),
            recurrent_bias: Matrix::zeros(3 * self.units, 1),
            activation: shared.activation,
            recurrent_activation: self.recurrent_activation.unwrap_or(Activation::Sigmoid),
            reset_after: self.reset_after.unwrap_or(true),
            use_bias: shared.use_bias,
        })
    }
}

impl<T: Real> Gru<T> {
    pub(super) fn cast<U: Real>(&self) -> Gru<U> {
        Gru {
            w_ih: cast(&self.w_ih),
            w_hh: cast(&self.w_hh),
            bias: cast(&self.bias),
            recurrent_bias: cast(&self.recurrent_bias),
            activation: self.activation,
            recurrent_activation: self.recurrent_activation,
            reset_after: self.reset_after,
            use_bias: self.use_bias,
        }
    }

    /// Returns the number of trained parameter matrices, with both biases, one of them, or no bias.
    fn trained(&self) -> usize {
        match (self.use_bias, self.reset_after) {
            (false, _) => 2,
            (true, false) => 3,
            (true, true) => 4,
        }
    }
}

/// Returns the layout for either order of reset and product.
fn layout_for(reset_after: bool) -> &'static PackedLayout {
    &Gru::LAYOUTS[usize::from(!reset_after)]
}

impl Packable for Gru<f32> {
    const LAYOUTS: &'static [PackedLayout] = &[
        PackedLayout {
            kind: RecordKind::Gru,
            keras_name: "GRU",
            gates: &[Role::Gate, Role::Gate, Role::Value],
            biases: 2,
            cell_state: false,
            panels: &[Panels { gates: &[0, 1, 2], separate_recurrent_bias: true }],
            blocks: &[Blocks::Quad(&[
                BlockPart::all(0),
                BlockPart::all(1),
                BlockPart { gate: 2, sides: Sides::Input },
                BlockPart { gate: 2, sides: Sides::Recurrent },
            ])],
        },
        PackedLayout {
            kind: RecordKind::GruResetBefore,
            keras_name: "GRU, before",
            gates: &[Role::Gate, Role::Gate, Role::Value],
            biases: 1,
            cell_state: false,
            panels: &[Panels::of(&[1]), Panels::of(&[0]), Panels::of(&[2])],
            blocks: &[
                Blocks::Quad(&[BlockPart::all(1)]),
                Blocks::Quad(&[BlockPart::all(0), BlockPart::all(2)]),
            ],
        },
    ];

    fn layout(&self) -> &'static PackedLayout {
        layout_for(self.reset_after)
    }

    fn activations(&self) -> Activations {
        Activations { value: self.activation, recurrent: self.recurrent_activation }
    }

    fn weights(&self) -> Weights {
        Weights {
            w_ih: self.w_ih.clone(),
            w_hh: self.w_hh.clone(),
            bias: self.bias.clone(),
            recurrent_bias: self.recurrent_bias.clone(),
        }
    }

    fn from_packed(layout: &PackedLayout, weights: Weights, activations: Activations) -> Self {
        Self {
            w_ih: weights.w_ih,
            w_hh: weights.w_hh,
            bias: weights.bias,
            recurrent_bias: weights.recurrent_bias,
            activation: activations.value,
            recurrent_activation: activations.recurrent,
            reset_after: layout.kind == RecordKind::Gru,
            use_bias: true,
        }
    }

    fn input_weights_mut(&mut self) -> (&mut Matrix<f32>, &mut Matrix<f32>) {
        self.use_bias = true;
        (&mut self.w_ih, &mut self.bias)
    }
}

/// Runs the backward pass through `h' = z*h + (1-z)*n` and the activations: returns the gradients of the
/// pre-activations of z and n, and adds the direct share of h to `d_h`.
fn backward_unit<T: Real>(
    cell: &Gru<T>,
    [z, n, h]: [&[T]; 3],
    d_after: &[T],
    d_h: &mut [T],
    [d_z, d_n]: [&mut [T]; 2],
) {
    for (k, &d) in d_after.iter().enumerate() {
        d_z[k] = d * (h[k] - n[k]);
        d_n[k] = d * (T::one() - z[k]);
        d_h[k] += d * z[k];
    }
    cell.recurrent_activation.backward(z, d_z);
    cell.activation.backward(n, d_n);
}

/// Computes `h' = z*h + (1-z)*n`.
fn forward_unit<T: Real>([z, n, h]: [&[T]; 3], h_after: &mut [T]) {
    for (k, h_after) in h_after.iter_mut().enumerate() {
        *h_after = z[k] * h[k] + (T::one() - z[k]) * n[k];
    }
}

impl<T: Real> Cell<T> for Gru<T> {
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
        let mut all = vec![
            ("w_ih", &self.w_ih),
            ("w_hh", &self.w_hh),
            ("bias", &self.bias),
            ("recurrent_bias", &self.recurrent_bias),
        ];
        all.truncate(self.trained());
        all
    }

    fn parameters_mut(&mut self) -> Vec<&mut Matrix<T>> {
        let trained = self.trained();
        let mut all = vec![&mut self.w_ih, &mut self.w_hh, &mut self.bias, &mut self.recurrent_bias];
        all.truncate(trained);
        all
    }

    fn forward(&self, x: &Matrix<T>, steps: &BatchSizes, states: &mut [Matrix<T>]) -> Vec<Matrix<T>> {
        let [h] = states else { panic!("a GRU has one state") };
        if self.reset_after { after::forward(self, x, steps, h) } else { before::forward(self, x, steps, h) }
    }

    fn backward(
        &self,
        x: &Matrix<T>,
        steps: &BatchSizes,
        states: &[Matrix<T>],
        saved: &[Matrix<T>],
        d_states: &mut [Matrix<T>],
    ) -> CellGradients<T> {
        let ([h], [d_h]) = (states, d_states) else { panic!("a GRU has one state") };
        let (d_pre, w_hh, recurrent_bias) = if self.reset_after {
            after::backward(self, steps, h, saved, d_h)
        } else {
            before::backward(self, steps, h, saved, d_h)
        };
        let w_ih = product(&d_pre, &x.transpose());
        let mut parameters = vec![w_ih, w_hh, column_sum(&d_pre), recurrent_bias];
        parameters.truncate(self.trained());
        CellGradients { parameters, pre_activations: d_pre }
    }

    fn step(&self, x: &[T], states: &mut [Vec<T>]) -> Vec<T> {
        let (hidden, h) = (self.hidden_size(), &mut states[0]);
        let mut pre_activations = affine_frame(&self.w_ih, x, &self.bias);
        let recurrent = affine_frame(&self.w_hh, h, &self.recurrent_bias);
        (0..2 * hidden).for_each(|k| pre_activations[k] += recurrent[k]);
        let r: Vec<T> =
            (hidden..2 * hidden).map(|k| self.recurrent_activation.of(pre_activations[k])).collect();
        if self.reset_after {
            (0..hidden).for_each(|k| pre_activations[2 * hidden + k] += r[k] * recurrent[2 * hidden + k]);
        } else {
            let reset: Vec<T> = h.iter().zip(&r).map(|(&h, &r)| r * h).collect();
            add_columns(
                &mut pre_activations[2 * hidden..],
                &self.w_hh.rows(2 * hidden, hidden).into_owned(),
                &reset,
            );
        }
        for (k, h) in h.iter_mut().enumerate() {
            let (z, n) = (
                self.recurrent_activation.of(pre_activations[k]),
                self.activation.of(pre_activations[2 * hidden + k]),
            );
            *h = z * *h + (T::one() - z) * n;
        }
        pre_activations
    }
}
