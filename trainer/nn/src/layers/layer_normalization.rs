//! Normalizes every frame to mean 0 and variance 1 over its features.
//!
//! ```text
//! y = gamma * (x - mean) / sqrt(variance + epsilon) + beta
//! ```
//! Ba, Kiros and Hinton, 2016; the variance is divided by the number of features, as in Keras.

use anyhow::Result;
use embedded_rnn::Kind as RecordKind;
use embedded_rnn::format::{LINEAR_FRAC, LayerRecord, MEAN_FRAC, NORMALIZED_FRAC};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{
    Affine, Export, FoldRole, ForwardCache, Gradients, InputStage, Kind, Layer, LayerSpec, Module, Observer,
    Pass, RecordSummary, Stored, check_epsilon, scale_and_shift, scale_and_shift_gradients,
};
use crate::data::Dataset;
use crate::export::{
    FloatWeights, IntLayer, PackedLayer, Site, framewise_record, full_scale, multipliers, offsets, unit_for,
};
use crate::packed::PackedSequence;
use crate::tensor::{Matrix, Real, cast};

/// The least full scale of an integer layer normalization's output for a factor of one, whose multiplier is
/// then just below the limit.
const LEAST_FULL_SCALE: f64 = 1.0 + 1e-4;

/// The weights of a layer normalization.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerNormalization<T: Real> {
    /// `[features x 1]`.
    pub gamma: Matrix<T>,
    /// `[features x 1]`.
    pub beta: Matrix<T>,
    /// The term that prevents a division by zero for frames of equal features.
    pub epsilon: T,
}

/// A `LayerNormalization` layer in a config; names and defaults are Keras's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerNormalizationConfig {
    /// The name of the layer.
    pub name: Option<String>,
    /// The epsilon; 0.001 by default.
    pub epsilon: Option<f64>,
}

impl LayerSpec for LayerNormalizationConfig {
    fn name(&self) -> Option<&String> {
        self.name.as_ref()
    }

    fn units(&self) -> Option<(&'static str, usize)> {
        None
    }

    fn parameters(&self, input_size: u64) -> u64 {
        input_size.saturating_mul(2)
    }

    fn keeps_time(&self) -> bool {
        true
    }

    fn needs_time(&self) -> bool {
        false
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
    /// Returns the mean of a frame and its divisor.
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

    /// Saves the normalized frames, `[features x columns]`, and their divisors, `[1 x columns]`.
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

    /// Computes, with `d = gamma * d_y` and means over the features,
    /// `d_x = (d - mean(d) - n * mean(d * n)) / deviation`, n being the normalized frame.
    fn backward(
        &self,
        _: &PackedSequence<T>,
        cache: &ForwardCache<T>,
        mut d_output: Matrix<T>,
        _: &[Matrix<T>],
    ) -> Gradients<T> {
        let [normalized, deviations] = &cache.saved[..] else { panic!("the cache is from another layer") };
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

impl Export for LayerNormalization<f32> {
    fn kinds() -> Vec<RecordKind> {
        vec![RecordKind::LayerNormalization]
    }

    fn check_export(&self) -> Result<()> {
        Ok(())
    }

    fn export_float<N: FloatWeights>(&self, name: &str) -> Result<Vec<PackedLayer<N::Weight>>> {
        let numbers = [self.gamma.as_slice(), self.beta.as_slice(), &[self.epsilon]].concat();
        let record = framewise_record(RecordKind::LayerNormalization, self.gamma.nrows());
        Ok(vec![PackedLayer::new(record, N::store_f32(numbers), name)])
    }

    fn integer_form(&self, name: &str) -> Result<Vec<Layer<f32>>> {
        Ok(vec![Layer { name: name.to_owned(), kind: Kind::LayerNormalization(self.clone()) }])
    }

    fn input_stage(&self, _: &str) -> Result<InputStage<'_>> {
        Ok(InputStage::Inner)
    }

    /// Computes `mulr(normalized, m) + b`.
    fn export_int(&self, name: &str, site: Site<'_>) -> Result<IntLayer> {
        // Where epsilon is far above all observed variances, the factors are far above all outputs, and must
        // fit as well.
        let least = f64::from(self.gamma.amax()) * LEAST_FULL_SCALE * full_scale(site.frac);
        let unit = unit_for(site.ranges.output, site.frac).max(least);
        let shift = 32 - NORMALIZED_FRAC as i32 + LINEAR_FRAC as i32 - site.frac as i32;
        let mut words = multipliers(&self.gamma, 2f64.powi(shift) / unit)?;
        words.extend(offsets(&self.beta, unit, site.frac)?);
        // In the unit of squared differences from the mean.
        let step = site.unit / 2f64.powi(MEAN_FRAC as i32);
        let epsilon = (f64::from(self.epsilon) / step.powi(2)).round().max(1.0) as u64;
        words.extend([epsilon as u32 as i32, (epsilon >> 32) as u32 as i32]);
        let record = framewise_record(RecordKind::LayerNormalization, self.gamma.nrows());
        let record = LayerRecord { output_scale: unit as f32, frac: site.frac as u8, ..record };
        Ok((vec![PackedLayer::new(record, words, name)], unit))
    }

    fn gates(&self) -> usize {
        0
    }

    fn fold_role(&self) -> FoldRole {
        FoldRole::Other
    }

    fn absorb_before(&mut self, _: &Affine) -> bool {
        false
    }

    fn absorb_after(&mut self, _: &FoldRole) -> bool {
        false
    }

    fn read<N: FloatWeights>(stored: &Stored<'_, N>, _: &mut Vec<Layer<f32>>) -> Result<Self> {
        let units = stored.record.units();
        let (gamma, rest) = stored.f32s().split_at(units);
        let (beta, epsilon) = rest.split_at(units);
        let column = |values: &[f32]| Matrix::from_column_slice(values.len(), 1, values);
        Ok(Self { gamma: column(gamma), beta: column(beta), epsilon: epsilon[0] })
    }

    fn summarize(record: &LayerRecord) -> RecordSummary {
        let units = u64::from(record.units);
        RecordSummary {
            keras_name: "LayerNormalization",
            parameters: 2 * units,
            macs: units,
            ..RecordSummary::default()
        }
    }
}
