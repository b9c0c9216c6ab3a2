//! Leaves out values in training, so that the layers after it do not lean on any one of them.
//!
//! Inverted, as in Keras: `y = x * m / (1 - rate)`, with `m` 0 at the chance `rate` and else 1, drawn for every value
//! of every frame. A network that is used is not touched.

use anyhow::{Result, ensure};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{ForwardCache, Gradients, Kind, Module, Pass};
use crate::config::LayerSpec;
use crate::data::Dataset;
use crate::reference::Observer;
use crate::tensor::{Matrix, PackedSequence, Real};

/// A dropout over `size` features.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropout<T: Real> {
    /// Features in and out.
    pub size: usize,
    /// The chance of a value to be left out, from 0 to below 1.
    pub rate: T,
}

/// A `Dropout` layer in a config.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name.
    pub name: Option<String>,
    /// The chance of a value to be left out.
    pub rate: f64,
}

impl LayerSpec for Config {
    fn name(&self) -> Option<&String> {
        self.name.as_ref()
    }

    fn check(&self) -> Result<()> {
        ensure!((0.0..1.0).contains(&self.rate), "rate: {} is not between 0 and 1", self.rate);
        Ok(())
    }

    fn build(&self, input_size: usize, _: &Dataset, _: &mut ChaCha8Rng) -> Kind<f32> {
        Kind::Dropout(Dropout { size: input_size, rate: self.rate as f32 })
    }
}

/// What each of `rows x columns` values is multiplied by: 0 at the chance `rate`, else `1 / (1 - rate)`.
pub(super) fn mask<T: Real>(rows: usize, columns: usize, rate: T, rng: &mut ChaCha8Rng) -> Matrix<T> {
    let (rate, keep) = (rate.to_f64(), T::one() / (T::one() - rate));
    Matrix::from_fn(rows, columns, |_, _| if rng.random_bool(rate) { T::zero() } else { keep })
}

impl<T: Real> Dropout<T> {
    pub(super) fn cast<U: Real>(&self) -> Dropout<U> {
        Dropout { size: self.size, rate: U::of(self.rate.to_f64()) }
    }
}

impl<T: Real> Module<T> for Dropout<T> {
    fn output_size(&self) -> usize {
        self.size
    }

    fn forward(&self, input: &PackedSequence<T>, pass: Pass<'_, T>) -> ForwardCache<T> {
        let Some(mut rng) = pass.training else {
            return ForwardCache::framewise(input, input.values.clone(), Vec::new());
        };
        let mask = mask(self.size, input.values.ncols(), self.rate, &mut rng);
        ForwardCache::framewise(input, input.values.component_mul(&mask), vec![mask])
    }

    fn backward(
        &self,
        _: &PackedSequence<T>,
        trace: &ForwardCache<T>,
        mut d_output: Matrix<T>,
        _: &[Matrix<T>],
    ) -> Gradients<T> {
        trace.saved.iter().for_each(|mask| d_output.component_mul_assign(mask));
        Gradients::stateless(Vec::new(), d_output)
    }

    fn input_gradient(
        &self,
        _: &PackedSequence<T>,
        _: &ForwardCache<T>,
        gradients: &Gradients<T>,
    ) -> Matrix<T> {
        gradients.sums[0].clone()
    }

    fn forward_reference(&self, frames: Vec<Vec<T>>, _: &mut [Vec<T>], _: Observer<'_, T>) -> Vec<Vec<T>> {
        frames
    }
}
