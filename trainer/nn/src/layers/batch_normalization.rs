//! Normalizes every feature to mean 0 and variance 1, by the statistics of the batch in training and by the
//! moving statistics in inference.
//!
//! ```text
//! y = gamma * (x - mean) / sqrt(variance + epsilon) + beta
//! moving = moving * momentum + (mean, variance of the batch) * (1 - momentum)
//! ```
//! Mean and variance are over the frames that are not masked, of all sequences and steps (Ioffe and Szegedy,
//! 2015); the variance is divided by their number, as in Keras.

use anyhow::Result;
use embedded_rnn::Kind as RecordKind;
use embedded_rnn::format::{LINEAR_FRAC, LayerRecord};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{
    Affine, Export, FoldRole, ForwardCache, Gradients, InputStage, Kind, Layer, LayerSpec, Module, Observer,
    Pass, RecordSummary, Stored, check_epsilon, scale_and_shift, scale_and_shift_gradients,
};
use crate::data::Dataset;
use crate::export::{
    FloatWeights, IntLayer, PackedLayer, Site, framewise_record, multipliers, offsets, unit_for,
};
use crate::packed::PackedSequence;
use crate::tensor::{Matrix, Real, cast, column_sum};

/// The weights and statistics of a batch normalization.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNormalization<T: Real> {
    /// `[features x 1]`.
    pub gamma: Matrix<T>,
    /// `[features x 1]`.
    pub beta: Matrix<T>,
    /// `[features x 1]`: the moving mean, updated by each batch in training.
    pub moving_mean: Matrix<T>,
    /// `[features x 1]`: the moving variance, updated by each batch in training.
    pub moving_variance: Matrix<T>,
    /// The share of the moving statistics that remains after a batch.
    pub momentum: T,
    /// The term that prevents a division by zero for constant features.
    pub epsilon: T,
}

/// A `BatchNormalization` layer in a config; names and defaults are Keras's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNormalizationConfig {
    /// The name of the layer.
    pub name: Option<String>,
    /// The momentum; 0.99 by default.
    pub momentum: Option<f64>,
    /// The epsilon; 0.001 by default.
    pub epsilon: Option<f64>,
}

impl BatchNormalizationConfig {
    fn momentum(&self) -> f64 {
        self.momentum.unwrap_or(0.99)
    }
}

impl LayerSpec for BatchNormalizationConfig {
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
        let momentum = self.momentum();
        anyhow::ensure!((0.0..=1.0).contains(&momentum), "momentum: {momentum} is not between 0 and 1");
        check_epsilon(self.epsilon)
    }

    fn build(&self, input_size: usize, _: &Dataset, _: &mut ChaCha8Rng) -> Kind<f32> {
        let all = |value| Matrix::repeat(input_size, 1, value);
        Kind::BatchNormalization(BatchNormalization {
            gamma: all(1.0),
            beta: all(0.0),
            moving_mean: all(0.0),
            moving_variance: all(1.0),
            momentum: self.momentum() as f32,
            epsilon: self.epsilon.unwrap_or(1e-3) as f32,
        })
    }
}

impl BatchNormalization<f32> {
    /// Returns `scale` and `offset` of `y = scale * x + offset`, `[features x 1]` each.
    pub fn affine(scale: Matrix<f32>, offset: Matrix<f32>) -> Self {
        let features = scale.nrows();
        Self {
            gamma: scale,
            beta: offset,
            moving_mean: Matrix::zeros(features, 1),
            moving_variance: Matrix::repeat(features, 1, 1.0),
            momentum: 0.99,
            epsilon: 0.0,
        }
    }
}

impl<T: Real> BatchNormalization<T> {
    /// Returns the inference form `y = scale * x + offset`, `[features x 1]` each, which folds exactly into
    /// the weights of a following layer: `W' = W diag(scale)`, `b' = b + W offset`.
    pub fn scale_and_offset(&self) -> (Matrix<T>, Matrix<T>) {
        let scale = self.gamma.component_div(&self.moving_variance.map(|v| (v + self.epsilon).sqrt()));
        let offset = &self.beta - self.moving_mean.component_mul(&scale);
        (scale, offset)
    }

    pub(super) fn cast<U: Real>(&self) -> BatchNormalization<U> {
        BatchNormalization {
            gamma: cast(&self.gamma),
            beta: cast(&self.beta),
            moving_mean: cast(&self.moving_mean),
            moving_variance: cast(&self.moving_variance),
            momentum: U::of(self.momentum.to_f64()),
            epsilon: U::of(self.epsilon.to_f64()),
        }
    }

    /// Returns the moving statistic after a batch with this one.
    fn moved(&self, moving: &Matrix<T>, batch: &Matrix<T>) -> Matrix<T> {
        moving * self.momentum + batch * (T::one() - self.momentum)
    }
}

impl<T: Real> Module<T> for BatchNormalization<T> {
    fn output_size(&self) -> usize {
        self.gamma.nrows()
    }

    fn parameters(&self) -> Vec<(&'static str, &Matrix<T>)> {
        vec![("gamma", &self.gamma), ("beta", &self.beta)]
    }

    fn parameters_mut(&mut self) -> Vec<&mut Matrix<T>> {
        vec![&mut self.gamma, &mut self.beta]
    }

    fn statistics(&self) -> Vec<&Matrix<T>> {
        vec![&self.moving_mean, &self.moving_variance]
    }

    fn statistics_mut(&mut self) -> Vec<&mut Matrix<T>> {
        vec![&mut self.moving_mean, &mut self.moving_variance]
    }

    /// Saves the normalized frames, `[features x columns]`, and their divisors, `[features x 1]`.
    fn forward(&self, input: &PackedSequence<T>, pass: Pass<'_, T>) -> ForwardCache<T> {
        let mut values = input.values.clone();
        if pass.training.is_none() {
            let (scale, offset) = self.scale_and_offset();
            scale_and_shift(&mut values, &scale, &offset);
            return ForwardCache::framewise(input, values, Vec::new());
        }
        let share = T::of(1.0 / values.ncols() as f64);
        let mean = column_sum(&values) * share;
        values.column_iter_mut().for_each(|mut column| column -= mean.column(0));
        let variance = column_sum(&values.component_mul(&values)) * share;
        let deviation = variance.map(|v| (v + self.epsilon).sqrt());
        values.column_iter_mut().for_each(|mut column| column.component_div_assign(&deviation.column(0)));
        let normalized = values.clone();
        scale_and_shift(&mut values, &self.gamma, &self.beta);
        let statistics =
            vec![self.moved(&self.moving_mean, &mean), self.moved(&self.moving_variance, &variance)];
        ForwardCache { statistics, ..ForwardCache::framewise(input, values, vec![normalized, deviation]) }
    }

    /// Computes, with `d = gamma * d_y` and means over the frames,
    /// `d_x = (d - mean(d) - n * mean(d * n)) / deviation`, n being the normalized frames.
    fn backward(
        &self,
        _: &PackedSequence<T>,
        cache: &ForwardCache<T>,
        mut d_output: Matrix<T>,
        _: &[Matrix<T>],
    ) -> Gradients<T> {
        let [normalized, deviation] = &cache.saved[..] else { panic!("only training has a backward pass") };
        let parameters = scale_and_shift_gradients(normalized, &d_output);
        let share = T::of(1.0 / d_output.ncols() as f64);
        // The means of d and d * n are the gradients of beta and gamma, except for the factor gamma.
        let scale = self.gamma.component_div(deviation);
        for (mut d, n) in d_output.column_iter_mut().zip(normalized.column_iter()) {
            for k in 0..scale.nrows() {
                d[k] = (d[k] - (parameters[1][k] + n[k] * parameters[0][k]) * share) * scale[k];
            }
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
        for (k, x) in frames.iter_mut().flat_map(|frame| frame.iter_mut().enumerate()) {
            let deviation = (self.moving_variance[k] + self.epsilon).sqrt();
            *x = self.gamma[k] * (*x - self.moving_mean[k]) / deviation + self.beta[k];
        }
        frames
    }
}

impl Export for BatchNormalization<f32> {
    fn kinds() -> Vec<RecordKind> {
        vec![RecordKind::BatchNormalization]
    }

    fn check_export(&self) -> Result<()> {
        Ok(())
    }

    fn export_float<N: FloatWeights>(&self, name: &str) -> Result<Vec<PackedLayer<N::Weight>>> {
        let (scale, offset) = self.scale_and_offset();
        let numbers = [scale.as_slice(), offset.as_slice()].concat();
        let record = framewise_record(RecordKind::BatchNormalization, scale.nrows());
        Ok(vec![PackedLayer::new(record, N::store_f32(numbers), name)])
    }

    fn integer_form(&self, name: &str) -> Result<Vec<Layer<f32>>> {
        Ok(vec![Layer { name: name.to_owned(), kind: Kind::BatchNormalization(self.clone()) }])
    }

    fn input_stage(&self, _: &str) -> Result<InputStage<'_>> {
        let (scale, offset) = self.scale_and_offset();
        let numbers = [scale.as_slice(), offset.as_slice()].concat();
        let words = move |unit| numbers.iter().map(|&v| (f64::from(v) / unit) as f32).collect();
        Ok(InputStage::Affine(Box::new(words)))
    }

    /// Computes `mulr(x << (30 - input_frac), m) + b`, where `m` is 2^21 for a factor of one between equal
    /// units of as many fraction bits.
    fn export_int(&self, name: &str, site: Site<'_>) -> Result<IntLayer> {
        let unit = unit_for(site.ranges.output, site.frac);
        let (scale, offset) = self.scale_and_offset();
        let shift = 2 + LINEAR_FRAC as i32 + site.input_frac as i32 - site.frac as i32;
        let mut words = multipliers(&scale, 2f64.powi(shift) * site.unit / unit)?;
        words.extend(offsets(&offset, unit, site.frac)?);
        let record = framewise_record(RecordKind::BatchNormalization, scale.nrows());
        let (frac, input_frac) = (site.frac as u8, site.input_frac as u8);
        let record = LayerRecord { output_scale: unit as f32, frac, input_frac, ..record };
        Ok((vec![PackedLayer::new(record, words, name)], unit))
    }

    fn gates(&self) -> usize {
        0
    }

    fn fold_role(&self) -> FoldRole {
        let (scale, offset) = self.cast().scale_and_offset();
        FoldRole::Affine(Affine { scale, offset })
    }

    fn absorb_before(&mut self, _: &Affine) -> bool {
        false
    }

    fn absorb_after(&mut self, _: &FoldRole) -> bool {
        false
    }

    fn read<N: FloatWeights>(stored: &Stored<'_, N>, _: &mut Vec<Layer<f32>>) -> Result<Self> {
        let (scale, offset) = stored.f32s().split_at(stored.record.units());
        let column = |values: &[f32]| Matrix::from_column_slice(values.len(), 1, values);
        Ok(BatchNormalization::affine(column(scale), column(offset)))
    }

    fn summarize(record: &LayerRecord) -> RecordSummary {
        let units = u64::from(record.units);
        RecordSummary {
            keras_name: "BatchNormalization",
            parameters: 2 * units,
            macs: units,
            ..RecordSummary::default()
        }
    }
}
