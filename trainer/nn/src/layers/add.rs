//! A residual connection: the sum of a frame and the frame that entered an earlier layer.
//!
//! `y = x + f(x)`, f being the `span` layers before. The [`Network`](crate::net::Network) passes both
//! operands as the features of one frame: those of the layer before, then those of the earlier layer.

use std::marker::PhantomData;

use anyhow::{Result, ensure};
use embedded_rnn::Kind as RecordKind;
use embedded_rnn::format::{LINEAR_FRAC, LayerRecord, MAX_SPAN};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{
    Affine, Export, FoldRole, ForwardCache, Gradients, InputStage, Kind, Layer, LayerSpec, Module, Observer,
    Pass, RecordSummary, Stored,
};
use crate::data::Dataset;
use crate::export::{FloatWeights, IntLayer, PackedLayer, Site, framewise_record, unit_for};
use crate::packed::PackedSequence;
use crate::tensor::{Matrix, Real};

/// The sum of two operands of `size` features.
#[derive(Clone, Debug, PartialEq)]
pub struct Add<T: Real> {
    /// The number of features of the output, and of each operand.
    pub size: usize,
    /// The number of layers before this one that are spanned: the second operand enters the first of them.
    pub span: usize,
    number: PhantomData<T>,
}

impl<T: Real> Add<T> {
    /// Creates a residual connection around `span` layers.
    pub fn new(size: usize, span: usize) -> Self {
        Self { size, span, number: PhantomData }
    }

    pub(super) fn cast<U: Real>(&self) -> Add<U> {
        Add::new(self.size, self.span)
    }
}

/// An `Add` layer in a config.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddConfig {
    /// The name of the layer.
    pub name: Option<String>,
    /// The number of layers before this one that are spanned.
    #[serde(default = "one")]
    pub span: usize,
}

fn one() -> usize {
    1
}

impl LayerSpec for AddConfig {
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
        let most = MAX_SPAN as usize;
        ensure!((1..=most).contains(&self.span), "span: {} is not between 1 and {most}", self.span);
        Ok(())
    }

    fn build(&self, input_size: usize, _: &Dataset, _: &mut ChaCha8Rng) -> Kind<f32> {
        Kind::Add(Add::new(input_size, self.span))
    }
}

impl<T: Real> Module<T> for Add<T> {
    fn output_size(&self) -> usize {
        self.size
    }

    fn forward(&self, input: &PackedSequence<T>, _: Pass<'_, T>) -> ForwardCache<T> {
        let values = input.values.rows(0, self.size) + input.values.rows(self.size, self.size);
        ForwardCache::framewise(input, values, Vec::new())
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

    /// Returns the gradient of the first operand; that of the second is the same.
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
        for frame in &mut frames {
            for k in 0..self.size {
                frame[k] = frame[k] + frame[self.size + k];
            }
            frame.truncate(self.size);
        }
        frames
    }
}

impl Add<f32> {
    /// Returns the record; its span is that in layers, until the records of all layers are known.
    fn record(&self) -> LayerRecord {
        LayerRecord { input_dim: self.span as u32, ..framewise_record(RecordKind::Add, self.size) }
    }
}

impl Export for Add<f32> {
    fn kinds() -> Vec<RecordKind> {
        vec![RecordKind::Add]
    }

    fn check_export(&self) -> Result<()> {
        Ok(())
    }

    fn export_float<N: FloatWeights>(&self, name: &str) -> Result<Vec<PackedLayer<N::Weight>>> {
        Ok(vec![PackedLayer::new(self.record(), Vec::new(), name)])
    }

    fn integer_form(&self, name: &str) -> Result<Vec<Layer<f32>>> {
        Ok(vec![Layer { name: name.to_owned(), kind: Kind::Add(self.clone()) }])
    }

    fn input_stage(&self, _: &str) -> Result<InputStage<'_>> {
        Ok(InputStage::Inner)
    }

    /// Computes `mulr(x << 16, m) + mulr(e << 16, n)`, where a multiplier is 2^20 between equal units.
    fn export_int(&self, name: &str, site: Site<'_>) -> Result<IntLayer> {
        let unit = unit_for(site.ranges.output, site.frac);
        let multiplier = |operand: f64| {
            let shift = 16 + LINEAR_FRAC as i32 - site.frac as i32;
            let multiplier = (2f64.powi(shift) * operand / unit).round();
            ensure!(multiplier < f64::from(1 << 30), "an operand is far larger than the sum");
            Ok(multiplier as i32)
        };
        let words = vec![multiplier(site.unit)?, multiplier(site.earlier)?];
        let record = LayerRecord { output_scale: unit as f32, frac: site.frac as u8, ..self.record() };
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

    /// Reads a record, whose span in records is that in layers: no layer of several records can be spanned.
    fn read<N: FloatWeights>(stored: &Stored<'_, N>, _: &mut Vec<Layer<f32>>) -> Result<Self> {
        Ok(Add::new(stored.record.units(), stored.record.input_dim as usize))
    }

    fn summarize(_: &LayerRecord) -> RecordSummary {
        RecordSummary { keras_name: "Add", ..RecordSummary::default() }
    }
}
