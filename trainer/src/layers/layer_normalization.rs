//! Brings every frame to mean 0 and variance 1 over its features.
//!
//! ```text
//! y = gamma * (x - mean) / sqrt(variance + epsilon) + beta
//! ```
//! Ba, Kiros and Hinton, 2016; the variance is divided by the number of features, as in Keras.

use anyhow::Result;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{ForwardCache, Gradients, Kind, Module, Pass, scale_and_shift, scale_and_shift_gradients};
use crate::config::{LayerSpec, check_epsilon};
use crate::data::Dataset;
use crate::reference::Observer;
use crate::tensor::{Matrix, PackedSequence, Real, cast};

/// The weights of a layer normalization.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerNormalization<T: Real> {
    /// `[features x 1]`.
    pub gamma: Matrix<T>,
    /// `[features x 1]`.
    pub beta: Matrix<T>,
    /// What keeps frames of equal features from being divided by zero.
    pub epsilon: T,
}

/// A `LayerNormalization` layer in a config; names and defaults are Keras's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name.
    pub name: Option<String>,
    /// 0.001 unless said otherwise.
    pub epsilon: Option<f64>,
}

impl LayerSpec for Config {
    fn name(&self) -> Option<&String> {
        self.name.as_ref()
    }

    fn parameters(&self, input_size: u64) -> u64 {
        input_size.saturating_mul(2)
    }

    fn check(&self) -> Result<()> {
        check_epsilon(self.epsilon)
    }

    fn build(&self, input_size: usize, _: &Dataset, _: &mut ChaCha8Rng) -> Kind<f32> {
        Kind::LayerNormalization(LayerNormalization {
            gamma: Matrix::repeat(input_size, 1, 1.0),
            beta: Matrix::zeros(input_size, 1),
            epsilon: self.epsilon.unwrap_or(1e-3) as f32,
        })
    }
}

impl<T: Real> LayerNormalization<T> {
    /// A frame's mean, and what it is divided by.
    fn measure(&self, x: &[T]) -> (T, T) {
        let share = T::of(1.0 / x.len() as f64);
        let mean = x.iter().fold(T::zero(), |sum, &x| sum + x) * share;
        let variance = x.iter().fold(T::zero(), |sum, &x| sum + (x - mean) * (x - mean)) * share;
        (mean, (variance + self.epsilon).sqrt())
    }

    pub(super) fn cast<U: Real>(&self) -> LayerNormalization<U> {
        LayerNormalization {
            gamma: cast(&self.gamma),
            beta: cast(&self.beta),
            epsilon: U::of(self.epsilon.to_f64()),
        }
    }
}

impl<T: Real> Module<T> for LayerNormalization<T> {
    fn output_size(&self) -> usize {
        self.gamma.nrows()
    }

    fn parameters(&self) -> Vec<(&'static str, &Matrix<T>)> {
        vec![("gamma", &self.gamma), ("beta", &self.beta)]
    }

    fn parameters_mut(&mut self) -> Vec<&mut Matrix<T>> {
        vec![&mut self.gamma, &mut self.beta]
    }

    /// Keeps the normalized frames, `[features x columns]`, and what each was divided by, `[1 x columns]`.
    fn forward(&self, input: &PackedSequence<T>, _: Pass<'_, T>) -> ForwardCache<T> {
        let mut values = input.values.clone();
        let mut deviations = Matrix::zeros(1, values.ncols());
        let columns = values.as_mut_slice().chunks_exact_mut(self.output_size());
        for (x, deviation) in columns.zip(deviations.iter_mut()) {
            let (mean, found) = self.measure(x);
            x.iter_mut().for_each(|x| *x = (*x - mean) / found);
            *deviation = found;
        }
        let normalized = values.clone();
        scale_and_shift(&mut values, &self.gamma, &self.beta);
        ForwardCache::framewise(input, values, vec![normalized, deviations])
    }

    /// With `d = gamma * d_y` and means over the features: `d_x = (d - mean(d) - n * mean(d * n)) / deviation`, n being
    /// the normalized frame.
    fn backward(
        &self,
        _: &PackedSequence<T>,
        trace: &ForwardCache<T>,
        mut d_output: Matrix<T>,
        _: &[Matrix<T>],
    ) -> Gradients<T> {
        let [normalized, deviations] = &trace.saved[..] else { panic!("of its own forward pass") };
        let parameters = scale_and_shift_gradients(normalized, &d_output);
        let share = T::of(1.0 / self.output_size() as f64);
        for (column, mut d) in d_output.column_iter_mut().enumerate() {
            d.component_mul_assign(&self.gamma.column(0));
            let n = normalized.column(column);
            let (mean, slope) = (d.sum() * share, d.dot(&n) * share);
            d.zip_apply(&n, |d, n| *d = (*d - mean - n * slope) / deviations[column]);
        }
        Gradients::stateless(parameters, d_output)
    }

    fn input_gradient(
        &self,
        _: &PackedSequence<T>,
        _: &ForwardCache<T>,
        gradients: &Gradients<T>,
    ) -> Matrix<T> {
        gradients.sums[0].clone()
    }

    fn forward_reference(
        &self,
        mut frames: Vec<Vec<T>>,
        _: &mut [Vec<T>],
        _: Observer<'_, T>,
    ) -> Vec<Vec<T>> {
        for x in &mut frames {
            let (mean, deviation) = self.measure(x);
            for (k, x) in x.iter_mut().enumerate() {
                *x = self.gamma[k] * (*x - mean) / deviation + self.beta[k];
            }
        }
        frames
    }
}
