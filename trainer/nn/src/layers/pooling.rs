//! Pooling over time: one value per feature and sequence, whatever the number of frames. The kinds of pooling
//! differ in a [`Mode`] only.

use std::fmt::Debug;
use std::marker::PhantomData;

use anyhow::Result;
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
use crate::packed::{BatchSizes, PackedSequence};
use crate::tensor::{Matrix, Real};

/// A kind of pooling over time.
pub trait Mode: Clone + Debug + PartialEq {
    /// The kind of the record.
    const KIND: RecordKind;

    /// Returns the layer as one of the kinds.
    fn kind<T: Real>(layer: Pooling<T, Self>) -> Kind<T>;

    /// Returns the pooled value of the values of one feature, which are at least one.
    fn pool<T: Real>(values: &[T]) -> T;

    /// Returns the derivative of the pooled value with respect to each of the values.
    fn derivatives<T: Real>(values: &[T]) -> Vec<T>;
}

/// Pooling over time of `size` features.
#[derive(Clone, Debug, PartialEq)]
pub struct Pooling<T: Real, M> {
    /// The number of features of input and output.
    pub size: usize,
    mode: PhantomData<(T, M)>,
}

/// A pooling layer in a config.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
pub struct PoolingConfig<M> {
    /// The name of the layer.
    pub name: Option<String>,
    #[serde(skip)]
    mode: PhantomData<M>,
}

impl<M: Mode> LayerSpec for PoolingConfig<M> {
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
        false
    }

    fn needs_time(&self) -> bool {
        true
    }

    fn build(&self, input_size: usize, _: &Dataset, _: &mut ChaCha8Rng) -> Kind<f32> {
        M::kind(Pooling::new(input_size))
    }
}

impl<T: Real, M: Mode> Pooling<T, M> {
    /// Creates the layer over `size` features.
    pub fn new(size: usize) -> Self {
        Self { size, mode: PhantomData }
    }

    pub(super) fn cast<U: Real>(&self) -> Pooling<U, M> {
        Pooling::new(self.size)
    }
}

/// Returns the values of one feature at the given columns.
fn values_of<T: Real>(values: &Matrix<T>, feature: usize, columns: &[usize]) -> Vec<T> {
    columns.iter().map(|&column| values[(feature, column)]).collect()
}

impl<T: Real, M: Mode> Module<T> for Pooling<T, M> {
    fn output_size(&self) -> usize {
        self.size
    }

    fn keeps_time(&self) -> bool {
        false
    }

    fn forward(&self, input: &PackedSequence<T>, _: Pass<'_, T>) -> ForwardCache<T> {
        let columns = input.steps.columns_of_each();
        let values = Matrix::from_fn(self.size, columns.len(), |feature, sequence| {
            M::pool(&values_of(&input.values, feature, &columns[sequence]))
        });
        let output = PackedSequence { values, steps: BatchSizes::single(columns.len()) };
        ForwardCache { output, statistics: Vec::new(), saved: Vec::new(), inner: Vec::new() }
    }

    fn backward(
        &self,
        input: &PackedSequence<T>,
        _: &ForwardCache<T>,
        d_output: Matrix<T>,
        _: &[Matrix<T>],
    ) -> Gradients<T> {
        let mut d = Matrix::zeros(self.size, input.values.ncols());
        for (sequence, columns) in input.steps.columns_of_each().iter().enumerate() {
            for feature in 0..self.size {
                let derivatives = M::derivatives(&values_of(&input.values, feature, columns));
                for (&column, derivative) in columns.iter().zip(derivatives) {
                    d[(feature, column)] = d_output[(feature, sequence)] * derivative;
                }
            }
        }
        Gradients::stateless(Vec::new(), d)
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
        if frames.is_empty() {
            return frames;
        }
        let feature = |k: usize| frames.iter().map(|frame| frame[k]).collect::<Vec<_>>();
        vec![(0..self.size).map(|k| M::pool(&feature(k))).collect()]
    }
}

impl<M: Mode> Export for Pooling<f32, M> {
    fn kinds() -> Vec<RecordKind> {
        vec![M::KIND]
    }

    fn check_export(&self) -> Result<()> {
        Ok(())
    }

    fn export_float<N: FloatWeights>(&self, name: &str) -> Result<Vec<PackedLayer<N::Weight>>> {
        Ok(vec![PackedLayer::new(framewise_record(M::KIND, self.size), Vec::new(), name)])
    }

    fn integer_form(&self, name: &str) -> Result<Vec<Layer<f32>>> {
        Ok(vec![Layer { name: name.to_owned(), kind: M::kind(self.clone()) }])
    }

    fn input_stage(&self, _: &str) -> Result<InputStage<'_>> {
        Ok(InputStage::Inner)
    }

    /// Exports the layer with the unit of its input, as a maximum and a mean are within its range.
    fn export_int(&self, name: &str, site: Site<'_>) -> Result<IntLayer> {
        let (output_scale, frac) = (site.unit as f32, site.input_frac as u8);
        let record = LayerRecord { output_scale, frac, ..framewise_record(M::KIND, self.size) };
        Ok((vec![PackedLayer::new(record, Vec::new(), name)], site.unit))
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
        Ok(Self::new(stored.record.units()))
    }

    fn summarize(_: &LayerRecord) -> RecordSummary {
        RecordSummary { keras_name: M::KIND.name(), ..RecordSummary::default() }
    }
}
