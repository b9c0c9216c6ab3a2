//! A function of every value, or of all values of a frame: Keras's `Activation`.

use std::marker::PhantomData;

use anyhow::{Context, Result, ensure};
use embedded_rnn::Kind as RecordKind;
use embedded_rnn::format::{LayerRecord, MAX_INPUT_FRAC, TABLE_INTERVAL_BITS};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{
    Affine, Dense, Export, FoldRole, ForwardCache, Gradients, InputStage, Kind, Layer, LayerSpec, Module,
    Observer, Pass, RecordSummary, Stored,
};
use crate::activation::Activation as Function;
use crate::data::Dataset;
use crate::export::{FloatWeights, IntLayer, PackedLayer, Site, framewise_record, full_scale, unit_for};
use crate::packed::PackedSequence;
use crate::tensor::{Matrix, Real};

/// A function over frames of `size` features.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation<T: Real> {
    /// The number of features of input and output.
    pub size: usize,
    /// The function.
    pub function: Function,
    number: PhantomData<T>,
}

impl<T: Real> Activation<T> {
    /// Creates the layer over `size` features.
    pub fn new(size: usize, function: Function) -> Self {
        Self { size, function, number: PhantomData }
    }

    pub(super) fn cast<U: Real>(&self) -> Activation<U> {
        Activation::new(self.size, self.function)
    }
}

/// An `Activation` layer in a config; names are Keras's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivationConfig {
    /// The name of the layer.
    pub name: Option<String>,
    /// The function.
    pub activation: Function,
}

impl LayerSpec for ActivationConfig {
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

    fn output_activation(&self) -> Function {
        self.activation
    }

    fn build(&self, input_size: usize, _: &Dataset, _: &mut ChaCha8Rng) -> Kind<f32> {
        Kind::Activation(Activation::new(input_size, self.activation))
    }
}

impl<T: Real> Module<T> for Activation<T> {
    fn output_size(&self) -> usize {
        self.size
    }

    fn forward(&self, input: &PackedSequence<T>, _: Pass<'_, T>) -> ForwardCache<T> {
        let mut values = input.values.clone();
        self.function.forward_columns(&mut values);
        ForwardCache::framewise(input, values, Vec::new())
    }

    fn backward(
        &self,
        input: &PackedSequence<T>,
        cache: &ForwardCache<T>,
        mut d_output: Matrix<T>,
        _: &[Matrix<T>],
    ) -> Gradients<T> {
        let at = if self.function.needs_pre_activations() { &input.values } else { &cache.output.values };
        self.function.backward_columns(at, &mut d_output);
        Gradients::stateless(Vec::new(), d_output)
    }

    fn backward_pre_activations(&self, _: &PackedSequence<T>, d: Matrix<T>) -> Option<Gradients<T>> {
        Some(Gradients::stateless(Vec::new(), d))
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
        frames.iter_mut().for_each(|frame| self.function.forward(frame));
        frames
    }
}

impl Activation<f32> {
    fn record(&self) -> LayerRecord {
        let record = framewise_record(RecordKind::Activation, self.size);
        let activation_parameter = self.function.own_parameter().unwrap_or(0.0);
        LayerRecord { activation: self.function.code() as u8, activation_parameter, ..record }
    }
}

impl Export for Activation<f32> {
    fn kinds() -> Vec<RecordKind> {
        vec![RecordKind::Activation]
    }

    fn check_export(&self) -> Result<()> {
        Ok(())
    }

    fn export_float<N: FloatWeights>(&self, name: &str) -> Result<Vec<PackedLayer<N::Weight>>> {
        Ok(vec![PackedLayer::new(self.record(), Vec::new(), name)])
    }

    /// Exports softmax as a Dense with an identity for weights, as the runtime has softmax in Dense only.
    fn integer_form(&self, name: &str) -> Result<Vec<Layer<f32>>> {
        check_integer(self.function)?;
        let kind = if self.function == Function::Softmax {
            let (identity, bias) = (Matrix::identity(self.size, self.size), Matrix::zeros(self.size, 1));
            Kind::Dense(Dense::from_weights(identity, bias, Function::Softmax))
        } else {
            Kind::Activation(self.clone())
        };
        Ok(vec![Layer { name: name.to_owned(), kind }])
    }

    fn input_stage(&self, _: &str) -> Result<InputStage<'_>> {
        Ok(InputStage::Inner)
    }

    /// Tabulates the function over the range of its inputs: its values at the ends of 512 intervals, two per
    /// word (runtime/INTEGER.md).
    fn export_int(&self, name: &str, site: Site<'_>) -> Result<IntLayer> {
        let unit = unit_for(site.ranges.output, site.frac);
        let most = 1.0 / full_scale(site.frac);
        let step = site.unit * full_scale(MAX_INPUT_FRAC - site.input_frac);
        let end = |interval: i32| {
            let x = f64::from((interval << TABLE_INTERVAL_BITS) - (1 << MAX_INPUT_FRAC)) * step;
            ((self.function.of(x) / unit).round().clamp(-most, most)) as i16
        };
        let mut ends: Vec<i16> = (0..=1 << (16 - TABLE_INTERVAL_BITS)).map(end).collect();
        ends.push(0);
        let pairs = ends.as_chunks::<2>().0.iter();
        let words = pairs.map(|&[low, high]| i32::from(high) << 16 | i32::from(low as u16)).collect();
        let (frac, input_frac) = (site.frac as u8, site.input_frac as u8);
        let record = LayerRecord { output_scale: unit as f32, frac, input_frac, ..self.record() };
        Ok((vec![PackedLayer::new(record, words, name)], unit))
    }

    fn gates(&self) -> usize {
        0
    }

    fn fold_role(&self) -> FoldRole {
        FoldRole::Function(self.function)
    }

    fn absorb_before(&mut self, _: &Affine) -> bool {
        false
    }

    fn absorb_after(&mut self, _: &FoldRole) -> bool {
        false
    }

    fn read<N: FloatWeights>(stored: &Stored<'_, N>, _: &mut Vec<Layer<f32>>) -> Result<Self> {
        let function = Function::of_record(stored.record).context("unknown activation")?;
        Ok(Activation::new(stored.record.units(), function))
    }

    fn summarize(record: &LayerRecord) -> RecordSummary {
        let activation = Function::from_code(record.activation).map(Function::keras_name);
        RecordSummary { keras_name: "Activation", activation, ..RecordSummary::default() }
    }
}

/// Rejects activations over all units except softmax, which integers do not support.
pub(super) fn check_integer(function: Function) -> Result<()> {
    ensure!(
        function.is_elementwise() || function == Function::Softmax,
        "activation {}: integers do not support it, half floats do",
        function.keras_name()
    );
    Ok(())
}
