//! Weighted sums of every frame, and an activation: `y = act(W x + b)`.

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{ForwardCache, Gradients, Kind, Module, Pass};
use crate::activation::Activation;
use crate::cells::add_columns;
use crate::config::LayerSpec;
use crate::data::Dataset;
use crate::initializers::glorot_uniform;
use crate::reference::{Observer, Signal};
use crate::tensor::{Matrix, PackedSequence, Real, affine, cast, column_sum, product};

/// The weights of a dense layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense<T: Real> {
    /// `[out x in]`.
    pub weight: Matrix<T>,
    /// `[out x 1]`.
    pub bias: Matrix<T>,
    /// What is done to the sums.
    pub activation: Activation,
    /// Whether the biases are trained; if not, they are zeros.
    pub use_bias: bool,
}

/// A `Dense` layer in a config.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name.
    pub name: Option<String>,
    /// The number of outputs.
    pub units: usize,
    /// Linear unless said otherwise.
    #[serde(default)]
    pub activation: Activation,
    /// Whether there are biases; there are unless said otherwise.
    pub use_bias: Option<bool>,
}

impl LayerSpec for Config {
    fn name(&self) -> Option<&String> {
        self.name.as_ref()
    }

    fn units(&self) -> Option<(&'static str, usize)> {
        Some(("units", self.units))
    }

    fn parameters(&self, input_size: u64) -> u64 {
        input_size.saturating_add(1).saturating_mul(self.units as u64)
    }

    /// As Keras starts: Glorot-uniform weights, biases of zero.
    fn build(&self, input_size: usize, _: &Dataset, rng: &mut ChaCha8Rng) -> Kind<f32> {
        Kind::Dense(Dense {
            weight: glorot_uniform(self.units, input_size, rng),
            bias: Matrix::zeros(self.units, 1),
            activation: self.activation,
            use_bias: self.use_bias.unwrap_or(true),
        })
    }
}

impl<T: Real> Dense<T> {
    /// With these weights and trained biases.
    pub fn from_weights(weight: Matrix<T>, bias: Matrix<T>, activation: Activation) -> Self {
        Self { weight, bias, activation, use_bias: true }
    }

    /// From the gradient of the weighted sums, for a loss that takes the activation's slope into its own.
    pub(crate) fn backward_pre_activations(
        &self,
        input: &PackedSequence<T>,
        sums: Matrix<T>,
    ) -> Gradients<T> {
        let mut parameters = vec![product(&sums, &input.values.transpose())];
        if self.use_bias {
            parameters.push(column_sum(&sums));
        }
        Gradients::stateless(parameters, sums)
    }

    pub(super) fn cast<U: Real>(&self) -> Dense<U> {
        Dense {
            weight: cast(&self.weight),
            bias: cast(&self.bias),
            activation: self.activation,
            use_bias: self.use_bias,
        }
    }
}

impl<T: Real> Module<T> for Dense<T> {
    fn output_size(&self) -> usize {
        self.weight.nrows()
    }

    fn parameters(&self) -> Vec<(&'static str, &Matrix<T>)> {
        let mut all = vec![("weight", &self.weight), ("bias", &self.bias)];
        all.truncate(if self.use_bias { 2 } else { 1 });
        all
    }

    fn parameters_mut(&mut self) -> Vec<&mut Matrix<T>> {
        let mut all = vec![&mut self.weight, &mut self.bias];
        all.truncate(if self.use_bias { 2 } else { 1 });
        all
    }

    /// Keeps the sums, if the activation's slope needs them.
    fn forward(&self, input: &PackedSequence<T>, _: Pass<'_, T>) -> ForwardCache<T> {
        let mut values = affine(&self.weight, &input.values, &self.bias);
        let saved = if self.activation.needs_pre_activations() { vec![values.clone()] } else { Vec::new() };
        self.activation.forward_columns(&mut values);
        ForwardCache::framewise(input, values, saved)
    }

    fn backward(
        &self,
        input: &PackedSequence<T>,
        trace: &ForwardCache<T>,
        mut d_output: Matrix<T>,
        _: &[Matrix<T>],
    ) -> Gradients<T> {
        let at = trace.saved.first().unwrap_or(&trace.output.values);
        self.activation.backward_columns(at, &mut d_output);
        self.backward_pre_activations(input, d_output)
    }

    fn input_gradient(
        &self,
        _: &PackedSequence<T>,
        _: &ForwardCache<T>,
        gradients: &Gradients<T>,
    ) -> Matrix<T> {
        product(&self.weight.transpose(), &gradients.sums[0])
    }

    fn forward_reference(
        &self,
        frames: Vec<Vec<T>>,
        _: &mut [Vec<T>],
        observe: Observer<'_, T>,
    ) -> Vec<Vec<T>> {
        let dense = |x: Vec<T>| {
            let mut y = self.bias.as_slice().to_vec();
            add_columns(&mut y, &self.weight, &x);
            observe(Signal::PreActivations, &y);
            self.activation.forward(&mut y);
            y
        };
        frames.into_iter().map(dense).collect()
    }
}
