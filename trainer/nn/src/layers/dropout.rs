//! Drops values in training, so that the following layers do not rely on any single one of them.
//!
//! Inverted dropout, as in Keras: `y = x * m / (1 - rate)`, where `m` is 0 with probability `rate` and 1
//! otherwise, drawn for every value of every frame. Inference leaves the values unchanged.

use anyhow::{Result, bail, ensure};
use embedded_rnn::Kind as RecordKind;
use embedded_rnn::format::LayerRecord;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{
    Affine, Export, FoldRole, ForwardCache, Gradients, InputStage, Kind, Layer, LayerSpec, Module, Observer,
    Pass, RecordSummary, Stored,
};
use crate::data::Dataset;
use crate::export::{FloatWeights, IntLayer, PackedLayer, Site};
use crate::packed::PackedSequence;
use crate::tensor::{Matrix, Real};

/// A dropout over `size` features.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropout<T: Real> {
    /// The number of features of input and output.
    pub size: usize,
    /// The probability that a value is dropped, at least 0 and below 1.
    pub rate: T,
}

/// A `Dropout` layer in a config.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropoutConfig {
    /// The name of the layer.
    pub name: Option<String>,
    /// The probability that a value is dropped.
    pub rate: f64,
}

impl LayerSpec for DropoutConfig {
    fn name(&self) -> Option<&String> {
        self.name.as_ref()
    }

    fn units(&self) -> Option<(&'static str, usize)> {
        None
    }

    fn parameters(&self, _: u64) -> u64 {
        0
    }

    fn keeps_time(&self) -> bool {
        true
    }

    fn needs_time(&self) -> bool {
        false
    }

    fn check(&self) -> Result<()> {
        ensure!((0.0..1.0).contains(&self.rate), "rate: {} is not between 0 and 1", self.rate);
        Ok(())
    }

    fn build(&self, input_size: usize, _: &Dataset, _: &mut ChaCha8Rng) -> Kind<f32> {
        Kind::Dropout(Dropout { size: input_size, rate: self.rate as f32 })
    }
}

/// Draws the factor of each of `rows x columns` values: 0 with probability `rate`, else `1 / (1 - rate)`.
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
        cache: &ForwardCache<T>,
        mut d_output: Matrix<T>,
        _: &[Matrix<T>],
    ) -> Gradients<T> {
        cache.saved.iter().for_each(|mask| d_output.component_mul_assign(mask));
        Gradients::stateless(Vec::new(), d_output)
    }

    fn backward_pre_activations(&self, _: &PackedSequence<T>, _: Matrix<T>) -> Option<Gradients<T>> {
        None
    }

    fn input_gradient(
        &self,
        _: &PackedSequence<T>,
        _: &ForwardCache<T>,
        gradients: &Gradients<T>,
    ) -> Matrix<T> {
        gradients.pre_activations[0].clone()
    }

    fn forward_reference(&self, frames: Vec<Vec<T>>, _: &mut [Vec<T>], _: Observer<'_, T>) -> Vec<Vec<T>> {
        frames
    }
}

/// The layer exists in training only: folding removes it, and no file contains it.
impl Export for Dropout<f32> {
    fn kinds() -> Vec<RecordKind> {
        Vec::new()
    }

    fn check_export(&self) -> Result<()> {
        Ok(())
    }

    fn export_float<N: FloatWeights>(&self, _: &str) -> Result<Vec<PackedLayer<N::Weight>>> {
        Ok(Vec::new())
    }

    fn integer_form(&self, _: &str) -> Result<Vec<Layer<f32>>> {
        Ok(Vec::new())
    }

    fn input_stage(&self, _: &str) -> Result<InputStage<'_>> {
        Ok(InputStage::Inner)
    }

    fn export_int(&self, _: &str, site: Site<'_>) -> Result<IntLayer> {
        Ok((Vec::new(), site.unit))
    }

    fn gates(&self) -> usize {
        0
    }

    fn fold_role(&self) -> FoldRole {
        FoldRole::TrainingOnly
    }

    fn absorb_before(&mut self, _: &Affine) -> bool {
        false
    }

    fn absorb_after(&mut self, _: &FoldRole) -> bool {
        false
    }

    fn read<N: FloatWeights>(_: &Stored<'_, N>, _: &mut Vec<Layer<f32>>) -> Result<Self> {
        bail!("no record is a Dropout")
    }

    fn summarize(_: &LayerRecord) -> RecordSummary {
        RecordSummary { keras_name: "Dropout", ..RecordSummary::default() }
    }
}
