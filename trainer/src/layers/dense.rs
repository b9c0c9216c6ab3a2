//! Weighted sums of every frame, and an activation: `y = act(W x + b)`.

use rand_chacha::ChaCha8Rng;

use super::{Gradients, Trace};
use crate::activation::Activation;
use crate::initializers::glorot_uniform;
use crate::tensor::{Flow, Matrix, Real, affine, cast, column_sum, product};

/// The weights of a dense layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense<T: Real> {
    /// `[out x in]`.
    pub weight: Matrix<T>,
    /// `[out x 1]`.
    pub bias: Matrix<T>,
    /// What is done to the sums.
    pub activation: Activation,
}

impl<T: Real> Dense<T> {
    /// As Keras starts: Glorot-uniform weights, biases of zero.
    pub fn new(input_size: usize, units: usize, activation: Activation, rng: &mut ChaCha8Rng) -> Self {
        Self { weight: glorot_uniform(units, input_size, rng), bias: Matrix::zeros(units, 1), activation }
    }

    pub(super) fn forward(&self, input: &Flow<T>) -> Trace<T> {
        let mut values = affine(&self.weight, &input.values, &self.bias);
        self.activation.forward_columns(&mut values);
        Trace { output: Flow { values, steps: input.steps.clone() }, kept: Vec::new() }
    }

    pub(super) fn backward(
        &self,
        input: &Flow<T>,
        trace: &Trace<T>,
        mut d_output: Matrix<T>,
    ) -> Gradients<T> {
        self.activation.backward_columns(&trace.output.values, &mut d_output);
        self.backward_sums(input, d_output)
    }

    /// From the gradient of the weighted sums, for a loss that takes the activation's slope into its own.
    pub(crate) fn backward_sums(&self, input: &Flow<T>, sums: Matrix<T>) -> Gradients<T> {
        let weight = product(&sums, &input.values.transpose());
        Gradients { parameters: vec![weight, column_sum(&sums)], sums }
    }

    pub(super) fn cast<U: Real>(&self) -> Dense<U> {
        Dense { weight: cast(&self.weight), bias: cast(&self.bias), activation: self.activation }
    }
}
