//! Normalizes every feature to mean 0 and variance 1, by the statistics of the training frames.
//!
//! Keras's `Normalization`: `y = (x - mean) / max(sqrt(variance), 1e-7)`.

use anyhow::{Result, bail};
use embedded_rnn::Kind as RecordKind;
use embedded_rnn::format::LayerRecord;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{
    Affine, Export, FoldRole, ForwardCache, Gradients, InputStage, Kind, Layer, LayerSpec, Module, Observer,
    Pass, RecordSummary, Stored,
};
use crate::data::Dataset;
use crate::export::{FloatWeights, IntLayer, PackedLayer, Site, framewise_record};
use crate::packed::PackedSequence;
use crate::tensor::{Matrix, Real, cast};

/// The least divisor, Keras's `backend.epsilon()`.
const EPSILON: f64 = 1e-7;

/// Mean and variance of every feature, which are measured, not trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalization<T: Real> {
    /// `[features x 1]`.
    pub mean: Matrix<T>,
    /// `[features x 1]`.
    pub variance: Matrix<T>,
}

/// A `Normalization` layer in a config.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormalizationConfig {
    /// The name of the layer.
    pub name: Option<String>,
}

impl LayerSpec for NormalizationConfig {
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

    fn only_first(&self) -> bool {
        true
    }

    fn build(&self, input_size: usize, data: &Dataset, _: &mut ChaCha8Rng) -> Kind<f32> {
        Kind::Normalization(Normalization::measure(data.sequences.frames(), input_size))
    }
}

impl<T: Real> Normalization<T> {
    /// Measures the statistics of `frames`, `features` values each, one after another.
    pub fn measure(frames: &[f32], features: usize) -> Self {
        let count = (frames.len() / features).max(1) as f64;
        let mean_of = |term: &dyn Fn(usize, f64) -> f64| -> Vec<f64> {
            let mut sum = vec![0.0; features];
            for frame in frames.chunks_exact(features) {
                for (k, &x) in frame.iter().enumerate() {
                    sum[k] += term(k, f64::from(x));
                }
            }
            sum.iter().map(|s| s / count).collect()
        };
        let mean = mean_of(&|_, x| x);
        let variance = mean_of(&|k, x| (x - mean[k]).powi(2));
        let column = |values: &[f64]| Matrix::from_fn(features, 1, |k, _| T::of(values[k]));
        Self { mean: column(&mean), variance: column(&variance) }
    }

    /// Returns the divisor of every feature, `[features x 1]`.
    pub fn deviation(&self) -> Matrix<T> {
        self.variance.map(|v| v.sqrt().max(T::of(EPSILON)))
    }

    /// Computes `values / deviation`, column by column.
    fn scaled(&self, values: &Matrix<T>) -> Matrix<T> {
        let mut scaled = values.clone();
        let deviation = self.deviation();
        scaled.column_iter_mut().for_each(|mut column| column.component_div_assign(&deviation.column(0)));
        scaled
    }

    pub(super) fn cast<U: Real>(&self) -> Normalization<U> {
        Normalization { mean: cast(&self.mean), variance: cast(&self.variance) }
    }
}

impl<T: Real> Module<T> for Normalization<T> {
    fn output_size(&self) -> usize {
        self.mean.nrows()
    }

    fn forward(&self, input: &PackedSequence<T>, _: Pass<'_, T>) -> ForwardCache<T> {
        let mut centred = input.values.clone();
        centred.column_iter_mut().for_each(|mut column| column -= self.mean.column(0));
        ForwardCache::framewise(input, self.scaled(&centred), Vec::new())
    }

    fn backward(
        &self,
        _: &PackedSequence<T>,
        _: &ForwardCache<T>,
        d_output: Matrix<T>,
        _: &[Matrix<T>],
    ) -> Gradients<T> {
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
        self.scaled(&gradients.pre_activations[0])
    }

    fn forward_reference(
        &self,
        mut frames: Vec<Vec<T>>,
        _: &mut [Vec<T>],
        _: Observer<'_, T>,
    ) -> Vec<Vec<T>> {
        let deviation = self.deviation();
        for (k, x) in frames.iter_mut().flat_map(|frame| frame.iter_mut().enumerate()) {
            *x = (*x - self.mean[k]) / deviation[k];
        }
        frames
    }
}

impl Normalization<f32> {
    /// Returns `(x - mean) / deviation / unit` as `x * scale + offset`: scales, then offsets.
    fn scales_and_offsets(&self, unit: f64) -> Vec<f32> {
        let deviation = self.deviation();
        let scale = |k: usize| 1.0 / (f64::from(deviation[k]) * unit);
        let features = 0..self.mean.nrows();
        let scales = features.clone().map(|k| scale(k) as f32);
        scales.chain(features.map(|k| (-f64::from(self.mean[k]) * scale(k)) as f32)).collect()
    }
}

impl Export for Normalization<f32> {
    fn kinds() -> Vec<RecordKind> {
        vec![RecordKind::Normalization]
    }

    fn check_export(&self) -> Result<()> {
        Ok(())
    }

    fn export_float<N: FloatWeights>(&self, name: &str) -> Result<Vec<PackedLayer<N::Weight>>> {
        let record = framewise_record(RecordKind::Normalization, self.mean.nrows());
        Ok(vec![PackedLayer::new(record, N::store_f32(self.scales_and_offsets(1.0)), name)])
    }

    fn integer_form(&self, name: &str) -> Result<Vec<Layer<f32>>> {
        Ok(vec![Layer { name: name.to_owned(), kind: Kind::Normalization(self.clone()) }])
    }

    fn input_stage(&self, _: &str) -> Result<InputStage<'_>> {
        Ok(InputStage::Affine(Box::new(|unit| self.scales_and_offsets(unit))))
    }

    fn export_int(&self, _: &str, _: Site<'_>) -> Result<IntLayer> {
        bail!("must be the first layer of an integer model")
    }

    fn gates(&self) -> usize {
        0
    }

    fn fold_role(&self) -> FoldRole {
        let scale = cast::<f32, f64>(&self.deviation()).map(|deviation| 1.0 / deviation);
        FoldRole::Affine(Affine { offset: -cast::<f32, f64>(&self.mean).component_mul(&scale), scale })
    }

    fn absorb_before(&mut self, _: &Affine) -> bool {
        false
    }

    fn absorb_after(&mut self, _: &FoldRole) -> bool {
        false
    }

    fn read<N: FloatWeights>(stored: &Stored<'_, N>, _: &mut Vec<Layer<f32>>) -> Result<Self> {
        let (scales, offsets) = stored.f32s().split_at(stored.record.units());
        let column = |f: &dyn Fn(usize) -> f64| Matrix::from_fn(scales.len(), 1, |k, _| f(k) as f32);
        Ok(Self {
            mean: column(&|k| -f64::from(offsets[k]) / f64::from(scales[k])),
            variance: column(&|k| f64::from(scales[k]).powi(-2)),
        })
    }

    fn summarize(record: &LayerRecord) -> RecordSummary {
        RecordSummary { keras_name: "Normalization", macs: record.units.into(), ..RecordSummary::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_mean_and_variance_and_divides_no_constant_by_zero() {
        let layer = Normalization::<f64>::measure(&[1.0, 5.0, 3.0, 5.0], 2);
        assert_eq!((layer.mean.as_slice(), layer.variance.as_slice()), (&[2.0, 5.0][..], &[1.0, 0.0][..]));
        assert_eq!(layer.deviation().as_slice(), [1.0, 1e-7]);
    }
}
