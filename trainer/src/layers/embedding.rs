//! A vector for every id: `y = W[:, id]`.
//!
//! The gradient of a column is the sum over the frames with its id, and zero for ids that the batch does not have. Adam
//! moves these all the same, by the momentum that is left: so does Keras, whose Adam makes sparse gradients dense.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{ForwardCache, Gradients, Kind, Module, Pass};
use crate::config::LayerSpec;
use crate::data::{Dataset, is_masked};
use crate::reference::Observer;
use crate::tensor::{Matrix, PackedSequence, Real, cast};

/// The vectors of all ids.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding<T: Real> {
    /// `[output_dim x input_dim]`: a column an id. Keras's matrix turned, which is the same numbers in the same order.
    pub weight: Matrix<T>,
    /// Whether id 0 stands for no frame. Such frames are taken out before a batch is packed.
    pub mask_zero: bool,
}

/// An `Embedding` layer in a config; names and defaults are Keras's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name.
    pub name: Option<String>,
    /// The number of ids.
    pub input_dim: usize,
    /// The number of values that stand for an id.
    pub output_dim: usize,
    /// Whether id 0 stands for no frame.
    #[serde(default)]
    pub mask_zero: bool,
}

impl LayerSpec for Config {
    fn name(&self) -> Option<&String> {
        self.name.as_ref()
    }

    fn units(&self) -> Option<(&'static str, usize)> {
        Some(("output_dim", self.output_dim))
    }

    fn parameters(&self, _: u64) -> u64 {
        (self.input_dim as u64).saturating_mul(self.output_dim as u64)
    }

    fn only_first(&self) -> bool {
        true
    }

    fn mask_value(&self) -> Option<f32> {
        self.mask_zero.then_some(0.0)
    }

    fn check(&self) -> anyhow::Result<()> {
        let most = 1 << 24;
        let fits = (1..=most).contains(&self.input_dim);
        anyhow::ensure!(fits, "input_dim: {} is not between 1 and {most}", self.input_dim);
        Ok(())
    }

    /// As Keras starts: uniform in +-0.05.
    fn build(&self, _: usize, _: &Dataset, rng: &mut ChaCha8Rng) -> Kind<f32> {
        let weight = Matrix::from_fn(self.output_dim, self.input_dim, |_, _| rng.random_range(-0.05..0.05));
        Kind::Embedding(Embedding { weight, mask_zero: self.mask_zero })
    }
}

impl<T: Real> Embedding<T> {
    fn id(value: T) -> usize {
        value.to_f64() as usize
    }

    pub(super) fn cast<U: Real>(&self) -> Embedding<U> {
        Embedding { weight: cast(&self.weight), mask_zero: self.mask_zero }
    }
}

impl<T: Real> Module<T> for Embedding<T> {
    fn output_size(&self) -> usize {
        self.weight.nrows()
    }

    fn parameters(&self) -> Vec<(&'static str, &Matrix<T>)> {
        vec![("weight", &self.weight)]
    }

    fn parameters_mut(&mut self) -> Vec<&mut Matrix<T>> {
        vec![&mut self.weight]
    }

    fn forward(&self, input: &PackedSequence<T>, _: Pass<'_, T>) -> ForwardCache<T> {
        let ids: Vec<usize> = input.values.iter().map(|&value| Self::id(value)).collect();
        ForwardCache::framewise(input, self.weight.select_columns(&ids), Vec::new())
    }

    fn backward(
        &self,
        input: &PackedSequence<T>,
        _: &ForwardCache<T>,
        d_output: Matrix<T>,
        _: &[Matrix<T>],
    ) -> Gradients<T> {
        let mut weight = Matrix::zeros(self.weight.nrows(), self.weight.ncols());
        for (&value, d) in input.values.iter().zip(d_output.column_iter()) {
            weight.column_mut(Self::id(value)).zip_apply(&d, |sum, d| *sum += d);
        }
        Gradients::stateless(vec![weight], d_output)
    }

    /// Ids have none.
    fn input_gradient(&self, input: &PackedSequence<T>, _: &ForwardCache<T>, _: &Gradients<T>) -> Matrix<T> {
        Matrix::zeros(1, input.values.ncols())
    }

    fn forward_reference(
        &self,
        mut frames: Vec<Vec<T>>,
        _: &mut [Vec<T>],
        _: Observer<'_, T>,
    ) -> Vec<Vec<T>> {
        frames.retain(|x| !(self.mask_zero && is_masked(x, T::zero())));
        frames.iter().map(|x| self.weight.column(Self::id(x[0])).iter().copied().collect()).collect()
    }
}
