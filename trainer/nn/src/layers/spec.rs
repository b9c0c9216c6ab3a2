//! The interface of a layer's config: sizes and rules that are checked before a network is built.

use anyhow::{Result, bail, ensure};
use rand_chacha::ChaCha8Rng;

use super::Kind;
use super::embedding::EmbeddingConfig;
use crate::activation::Activation;
use crate::data::Dataset;

/// The config of a layer.
pub trait LayerSpec {
    /// Returns the configured name.
    fn name(&self) -> Option<&String>;

    /// Returns the number of output features with the key that sets it; `None` if it is that of the input
    /// features.
    fn units(&self) -> Option<(&'static str, usize)>;

    /// Returns the number of weights and biases over `input_size` features.
    fn parameters(&self, input_size: u64) -> u64;

    /// Returns `true` if a sequence of inputs results in a sequence of outputs.
    fn keeps_time(&self) -> bool;

    /// Returns `true` if the inputs must be sequences.
    fn needs_time(&self) -> bool;

    /// Returns `true` if the input of the layer must be the data itself, not the output of another layer.
    fn only_first(&self) -> bool {
        false
    }

    /// Returns the value that all features of a masked frame have, if the layer masks frames.
    fn mask_value(&self) -> Option<f32> {
        None
    }

    /// Returns the config if the inputs are ids.
    fn ids(&self) -> Option<&EmbeddingConfig> {
        None
    }

    /// Returns the elementwise activation or softmax that computes the outputs; linear if there is none.
    fn output_activation(&self) -> Activation {
        Activation::Linear
    }

    /// Rejects values that no layer can have.
    ///
    /// # Errors
    /// The key, its value and the allowed range.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Rejects a number of units that no layer can have.
    ///
    /// # Errors
    /// The key and its value.
    fn check_units(&self) -> Result<()> {
        let Some((key, units)) = self.units() else { return Ok(()) };
        ensure!((1..=1 << 16).contains(&units), "{key}: {units} is not between 1 and 65536");
        Ok(())
    }

    /// Builds the layer with its initial weights, over `input_size` features.
    fn build(&self, input_size: usize, data: &Dataset, rng: &mut ChaCha8Rng) -> Kind<f32>;
}

/// Rejects an epsilon that is too small to prevent a division by zero.
///
/// # Errors
/// The key and its value.
pub fn check_epsilon(epsilon: Option<f64>) -> Result<()> {
    match epsilon {
        // Added to a variance of 1, smaller values are lost in f32.
        Some(epsilon) if !(epsilon >= 1e-9 && epsilon.is_finite()) => {
            bail!("epsilon: {epsilon} is not a number of at least 1e-9")
        }
        _ => Ok(()),
    }
}
