//! Says which frames are none: those whose features all equal `mask_value`.
//!
//! Keras's `Masking`: a masked step leaves every state alone, and there is no output and no loss for it. Masked frames
//! are taken out before a batch is packed, so nothing is left to do in training.

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Compute, Gradients, Kind, Pass, Trace};
use crate::config::LayerSpec;
use crate::data::{Dataset, is_masked};
use crate::reference::Tap;
use crate::tensor::{Flow, Matrix, Real};

/// A mask over frames of `size` features.
#[derive(Clone, Debug, PartialEq)]
pub struct Masking<T: Real> {
    /// Features in and out.
    pub size: usize,
    /// What all features of a masked frame are.
    pub mask_value: T,
}

/// A `Masking` layer in a config; names and defaults are Keras's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name.
    pub name: Option<String>,
    /// What all features of a masked frame are; 0 unless said otherwise.
    #[serde(default)]
    pub mask_value: f32,
}

impl LayerSpec for Config {
    fn name(&self) -> Option<&String> {
        self.name.as_ref()
    }

    fn only_first(&self) -> bool {
        true
    }

    fn mask_value(&self) -> Option<f32> {
        Some(self.mask_value)
    }

    fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.mask_value.is_finite(), "mask_value: {} is in no data", self.mask_value);
        Ok(())
    }

    fn build(&self, input_size: usize, _: &Dataset, _: &mut ChaCha8Rng) -> Kind<f32> {
        Kind::Masking(Masking { size: input_size, mask_value: self.mask_value })
    }
}

impl<T: Real> Masking<T> {
    pub(super) fn cast<U: Real>(&self) -> Masking<U> {
        Masking { size: self.size, mask_value: U::of(self.mask_value.to_f64()) }
    }
}

impl<T: Real> Compute<T> for Masking<T> {
    fn output_size(&self) -> usize {
        self.size
    }

    fn forward(&self, input: &Flow<T>, _: Pass<'_, T>) -> Trace<T> {
        Trace::framewise(input, input.values.clone(), Vec::new())
    }

    fn backward(&self, _: &Flow<T>, _: &Trace<T>, d_output: Matrix<T>, _: &[Matrix<T>]) -> Gradients<T> {
        Gradients::stateless(Vec::new(), d_output)
    }

    fn input_gradient(&self, _: &Flow<T>, _: &Trace<T>, gradients: &Gradients<T>) -> Matrix<T> {
        gradients.sums[0].clone()
    }

    fn plain(&self, mut frames: Vec<Vec<T>>, _: &mut [Vec<T>], _: Tap<'_, T>) -> Vec<Vec<T>> {
        frames.retain(|frame| !is_masked(frame, self.mask_value));
        frames
    }
}
