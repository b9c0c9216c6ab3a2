//! A vector per id: `y = W[:, id]`.
//!
//! The gradient of a column is the sum over the frames with its id, and zero for ids that do not occur in the
//! batch. Adam still moves these by the remaining momentum, as in Keras, whose Adam makes sparse gradients
//! dense.

use anyhow::{Result, bail, ensure};
use embedded_rnn::Kind as RecordKind;
use embedded_rnn::format::{EMBEDDING_FRAC, LayerRecord, MASKS, MAX_FLOAT_IDS, MAX_IDS, MAX_INPUT_FRAC};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{
    Affine, Export, FoldRole, ForwardCache, Gradients, InputStage, Kind, Layer, LayerSpec, Module, Observer,
    Pass, RecordSummary, Stored,
};
use crate::data::{Dataset, is_masked};
use crate::export::{FloatWeights, IntLayer, PackedLayer, Site, full_scale, to_weights};
use crate::packed::PackedSequence;
use crate::tensor::{Matrix, Real, cast};

/// The vectors of all ids.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding<T: Real> {
    /// `[output_dim x input_dim]`: one column per id. It is the transpose of Keras's matrix, which has the
    /// same numbers in the same order.
    pub weight: Matrix<T>,
    /// `true` if id 0 marks a masked time step. Masked frames are removed before a batch is packed.
    pub mask_zero: bool,
}

/// An `Embedding` layer in a config; names and defaults are Keras's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingConfig {
    /// The name of the layer.
    pub name: Option<String>,
    /// The number of ids.
    pub input_dim: usize,
    /// The number of values per id.
    pub output_dim: usize,
    /// `true` if id 0 marks a masked time step.
    #[serde(default)]
    pub mask_zero: bool,
}

impl LayerSpec for EmbeddingConfig {
    fn name(&self) -> Option<&String> {
        self.name.as_ref()
    }

    fn units(&self) -> Option<(&'static str, usize)> {
        Some(("output_dim", self.output_dim))
    }

    fn parameters(&self, _: u64) -> u64 {
        (self.input_dim as u64).saturating_mul(self.output_dim as u64)
    }

    fn keeps_time(&self) -> bool {
        true
    }

    fn needs_time(&self) -> bool {
        false
    }

    fn ids(&self) -> Option<&EmbeddingConfig> {
        Some(self)
    }

    fn only_first(&self) -> bool {
        true
    }

    fn mask_value(&self) -> Option<f32> {
        self.mask_zero.then_some(0.0)
    }

    fn check(&self) -> Result<()> {
        let most = MAX_FLOAT_IDS as usize;
        let fits = (1..=most).contains(&self.input_dim);
        ensure!(fits, "input_dim: {} is not between 1 and {most}", self.input_dim);
        Ok(())
    }

    /// Draws the initial weights of Keras, uniform in +-0.05.
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
    fn mask_value(&self) -> Option<T> {
        self.mask_zero.then(T::zero)
    }

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

    fn backward_pre_activations(&self, _: &PackedSequence<T>, _: Matrix<T>) -> Option<Gradients<T>> {
        None
    }

    /// Returns zeros, as ids have no gradient.
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

impl Embedding<f32> {
    fn record(&self) -> LayerRecord {
        LayerRecord {
            kind: RecordKind::Embedding as u8,
            flags: if self.mask_zero { MASKS } else { 0 },
            input_size: 1,
            units: self.weight.nrows() as u32,
            input_dim: self.weight.ncols() as u32,
            output_scale: 1.0,
            ..bytemuck::Zeroable::zeroed()
        }
    }

    /// Quantizes the vector of each id to its multiplier, in units of `largest`, and its weights with their
    /// own scale.
    fn int_words(&self, largest: f64) -> Vec<i32> {
        const UNIT: f64 = (1 << (EMBEDDING_FRAC + MAX_INPUT_FRAC)) as f64;
        let mut words = Vec::new();
        for row in self.weight.column_iter() {
            let scale = row.iter().fold(0f64, |max, &w| max.max(f64::from(w).abs())) / 127.0;
            words.push((scale / largest * UNIT).round() as i32);
            let byte = |w: f32| if scale > 0.0 { (f64::from(w) / scale).round() as i8 } else { 0 };
            let mut bytes: Vec<u8> = row.iter().map(|&w| byte(w) as u8).collect();
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            words.extend(bytes.as_chunks::<4>().0.iter().map(|word| i32::from_le_bytes(*word)));
        }
        words
    }
}

impl Export for Embedding<f32> {
    fn kinds() -> Vec<RecordKind> {
        vec![RecordKind::Embedding]
    }

    fn check_export(&self) -> Result<()> {
        Ok(())
    }

    fn export_float<N: FloatWeights>(&self, name: &str) -> Result<Vec<PackedLayer<N::Weight>>> {
        let mut weights = self.weight.as_slice().to_vec();
        weights.resize(weights.len().next_multiple_of(size_of::<f32>() / size_of::<N::Weight>()), 0.0);
        Ok(vec![PackedLayer::new(self.record(), to_weights::<N>(weights)?, name)])
    }

    fn integer_form(&self, name: &str) -> Result<Vec<Layer<f32>>> {
        Ok(vec![Layer { name: name.to_owned(), kind: Kind::Embedding(self.clone()) }])
    }

    fn input_stage(&self, name: &str) -> Result<InputStage<'_>> {
        let ids = self.weight.ncols();
        ensure!(ids <= MAX_IDS as usize, "{name}: {ids} ids; an integer model supports 65,536");
        ensure!(self.weight.iter().all(|w| w.is_finite()), "{name}: a weight is not finite");
        let largest = self.weight.iter().fold(0f32, |max, w| max.max(w.abs()));
        let largest = f64::from(if largest > 0.0 { largest } else { 1.0 });
        let (words, name) = (self.int_words(largest), name.to_owned());
        Ok(InputStage::Ids(Box::new(move |frac| {
            let unit = largest * full_scale(frac);
            let record = LayerRecord { output_scale: unit as f32, frac: frac as u8, ..self.record() };
            (PackedLayer::new(record, words.clone(), &name), unit)
        })))
    }

    fn export_int(&self, _: &str, _: Site<'_>) -> Result<IntLayer> {
        bail!("must be the first layer of an integer model")
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
        let (units, ids) = (stored.record.units(), stored.record.input_dim as usize);
        let weight = Matrix::from_column_slice(units, ids, &stored.widened()[..units * ids]);
        Ok(Self { weight, mask_zero: stored.record.masks() })
    }

    fn summarize(record: &LayerRecord) -> RecordSummary {
        RecordSummary {
            keras_name: "Embedding",
            input_dim: Some(record.input_dim),
            mask_zero: record.masks(),
            parameters: u64::from(record.input_dim) * u64::from(record.units),
            ..RecordSummary::default()
        }
    }
}
