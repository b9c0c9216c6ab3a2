//! A dense layer over every frame: `y = act(W x + b)`.

use anyhow::{Result, ensure};
use embedded_rnn::Kind as RecordKind;
use embedded_rnn::format::{LayerRecord, PRE_FRAC};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::rows::{read_rows, summarize_rows};
use super::{
    Affine, Export, FoldRole, ForwardCache, Gradients, InputStage, Kind, Layer, LayerSpec, Module, Observer,
    Pass, RecordSummary, Signal, Stored,
};
use crate::activation::Activation;
use crate::cells::add_columns;
use crate::data::Dataset;
use crate::export::{
    Activations, BIAS_LIMIT, DenseParts, FloatWeights, IntLayer, PackedLayer, PackedLayout, Site, Weights,
    float_rows, full_scale, int_rows, unit_for,
};
use crate::initializers::glorot_uniform;
use crate::packed::PackedSequence;
use crate::tensor::{Matrix, Real, affine, cast, column_sum, product};

/// The weights of a dense layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense<T: Real> {
    /// `[out x in]`.
    pub weight: Matrix<T>,
    /// `[out x 1]`.
    pub bias: Matrix<T>,
    /// The activation.
    pub activation: Activation,
    /// `true` if the biases are trained; otherwise they are zeros.
    pub use_bias: bool,
}

/// A `Dense` layer in a config.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenseConfig {
    /// The name of the layer.
    pub name: Option<String>,
    /// The number of outputs.
    pub units: usize,
    /// The activation; linear by default.
    #[serde(default)]
    pub activation: Activation,
    /// `true` if the layer has biases, which is the default.
    pub use_bias: Option<bool>,
}

impl LayerSpec for DenseConfig {
    fn name(&self) -> Option<&String> {
        self.name.as_ref()
    }

    fn units(&self) -> Option<(&'static str, usize)> {
        Some(("units", self.units))
    }

    fn parameters(&self, input_size: u64) -> u64 {
        input_size.saturating_add(1).saturating_mul(self.units as u64)
    }

    fn keeps_time(&self) -> bool {
        true
    }

    fn needs_time(&self) -> bool {
        false
    }

    fn output_activation(&self) -> Activation {
        self.activation
    }

    /// Draws the initial weights of Keras: Glorot-uniform weights, biases of zero.
    fn build(&self, input_size: usize, _: &Dataset, rng: &mut ChaCha8Rng) -> Kind<f32> {
        Kind::Dense(Dense {
            weight: glorot_uniform(self.units, input_size, rng),
            bias: Matrix::zeros(self.units, 1),
            activation: self.activation,
            use_bias: self.use_bias.unwrap_or(true),
        })
    }
}

impl<T: Real> Dense<T> {
    /// Builds a layer from these weights, with trained biases.
    pub fn from_weights(weight: Matrix<T>, bias: Matrix<T>, activation: Activation) -> Self {
        Self { weight, bias, activation, use_bias: true }
    }

    fn gradients(&self, input: &PackedSequence<T>, d: Matrix<T>) -> Gradients<T> {
        let mut parameters = vec![product(&d, &input.values.transpose())];
        if self.use_bias {
            parameters.push(column_sum(&d));
        }
        Gradients::stateless(parameters, d)
    }

    pub(super) fn cast<U: Real>(&self) -> Dense<U> {
        Dense {
            weight: cast(&self.weight),
            bias: cast(&self.bias),
            activation: self.activation,
            use_bias: self.use_bias,
        }
    }
}

impl<T: Real> Module<T> for Dense<T> {
    fn output_size(&self) -> usize {
        self.weight.nrows()
    }

    fn parameters(&self) -> Vec<(&'static str, &Matrix<T>)> {
        let mut all = vec![("weight", &self.weight), ("bias", &self.bias)];
        all.truncate(if self.use_bias { 2 } else { 1 });
        all
    }

    fn parameters_mut(&mut self) -> Vec<&mut Matrix<T>> {
        let mut all = vec![&mut self.weight, &mut self.bias];
        all.truncate(if self.use_bias { 2 } else { 1 });
        all
    }

    /// Saves the pre-activations, if the slope of the activation needs them.
    fn forward(&self, input: &PackedSequence<T>, _: Pass<'_, T>) -> ForwardCache<T> {
        let mut values = affine(&self.weight, &input.values, &self.bias);
        let saved = if self.activation.needs_pre_activations() { vec![values.clone()] } else { Vec::new() };
        self.activation.forward_columns(&mut values);
        ForwardCache::framewise(input, values, saved)
    }

    fn backward(
        &self,
        input: &PackedSequence<T>,
        cache: &ForwardCache<T>,
        mut d_output: Matrix<T>,
        _: &[Matrix<T>],
    ) -> Gradients<T> {
        let at = cache.saved.first().unwrap_or(&cache.output.values);
        self.activation.backward_columns(at, &mut d_output);
        self.gradients(input, d_output)
    }

    fn backward_pre_activations(&self, input: &PackedSequence<T>, d: Matrix<T>) -> Option<Gradients<T>> {
        Some(self.gradients(input, d))
    }

    fn input_gradient(
        &self,
        _: &PackedSequence<T>,
        _: &ForwardCache<T>,
        gradients: &Gradients<T>,
    ) -> Matrix<T> {
        product(&self.weight.transpose(), &gradients.pre_activations[0])
    }

    fn forward_reference(
        &self,
        frames: Vec<Vec<T>>,
        _: &mut [Vec<T>],
        observe: Observer<'_, T>,
    ) -> Vec<Vec<T>> {
        let dense = |x: Vec<T>| {
            let mut y = self.bias.as_slice().to_vec();
            add_columns(&mut y, &self.weight, &x);
            observe(Signal::PreActivations, &y);
            self.activation.forward(&mut y);
            y
        };
        frames.into_iter().map(dense).collect()
    }
}

/// The layout of the layer: one row per unit.
static LAYOUT: PackedLayout = PackedLayout::ungated(RecordKind::Dense, "Dense");

impl Dense<f32> {
    fn parts(&self) -> DenseParts {
        let rows = self.weight.nrows();
        let weights = Weights {
            w_ih: self.weight.clone(),
            w_hh: Matrix::zeros(rows, 0),
            bias: self.bias.clone(),
            recurrent_bias: Matrix::zeros(rows, 1),
        };
        let activations = Activations { value: self.activation, recurrent: Activation::Linear };
        DenseParts { layout: &LAYOUT, weights, activations, flags: 0 }
    }

    /// Returns the unit of the layer's integer output.
    fn output_unit(&self, site: Site<'_>) -> f64 {
        match (self.activation, site.head) {
            (Activation::Linear | Activation::Relu, false) => unit_for(site.ranges.output, site.frac),
            (Activation::Linear | Activation::Relu, true) => {
                // As many fraction bits as leave room for four times the range.
                let range = f64::from(site.ranges.output).max(1e-30);
                let room = (BIAS_LIMIT / (4.0 * range)).log2().floor() as i32;
                2f64.powi(-room.min(PRE_FRAC as i32))
            }
            (_, true) => 2f64.powi(-(PRE_FRAC as i32)),
            (_, false) => full_scale(site.frac),
        }
    }
}

impl Export for Dense<f32> {
    fn kinds() -> Vec<RecordKind> {
        vec![LAYOUT.kind]
    }

    fn check_export(&self) -> Result<()> {
        Ok(())
    }

    fn export_float<N: FloatWeights>(&self, name: &str) -> Result<Vec<PackedLayer<N::Weight>>> {
        Ok(vec![float_rows::<N>(&self.parts(), name)?])
    }

    /// Splits off extended activations, which integer rows do not support, into a layer of their own with a
    /// table.
    fn integer_form(&self, name: &str) -> Result<Vec<Layer<f32>>> {
        super::activation::check_integer(self.activation)?;
        if !self.activation.is_extended() {
            return Ok(vec![Layer { name: name.to_owned(), kind: Kind::Dense(self.clone()) }]);
        }
        let linear = Self { activation: Activation::Linear, ..self.clone() };
        let function = super::Activation::new(self.weight.nrows(), self.activation);
        Ok(vec![
            Layer { name: name.to_owned(), kind: Kind::Dense(linear) },
            Layer {
                name: format!("{name}/{}", self.activation.keras_name()),
                kind: Kind::Activation(function),
            },
        ])
    }

    fn input_stage(&self, _: &str) -> Result<InputStage<'_>> {
        Ok(InputStage::Inner)
    }

    fn export_int(&self, name: &str, site: Site<'_>) -> Result<IntLayer> {
        ensure!(
            site.head || self.activation != Activation::Softmax,
            "softmax inside an integer model: only the last layer can have it"
        );
        let packed = int_rows(&self.parts(), site, self.output_unit(site), name)?;
        let unit = packed.record.output_scale.into();
        Ok((vec![packed], unit))
    }

    fn gates(&self) -> usize {
        LAYOUT.gates.len()
    }

    fn fold_role(&self) -> FoldRole {
        FoldRole::Other
    }

    fn absorb_before(&mut self, affine: &Affine) -> bool {
        self.use_bias = true;
        affine.fold_before(&mut self.weight, &mut self.bias);
        true
    }

    /// Folds `scale * (W x + b) + offset`, or an activation that replaces the linear one.
    fn absorb_after(&mut self, next: &FoldRole) -> bool {
        if self.activation != Activation::Linear {
            return false;
        }
        match next {
            FoldRole::Affine(affine) => {
                affine.fold_after(&mut self.weight, &mut self.bias);
                self.use_bias = true;
                true
            }
            FoldRole::Function(function) => {
                self.activation = *function;
                true
            }
            FoldRole::TrainingOnly | FoldRole::Other => false,
        }
    }

    fn read<N: FloatWeights>(stored: &Stored<'_, N>, _: &mut Vec<Layer<f32>>) -> Result<Self> {
        let (weights, activations) = read_rows(stored, &LAYOUT, 0)?;
        Ok(Dense::from_weights(weights.w_ih, weights.bias, activations.value))
    }

    fn summarize(record: &LayerRecord) -> RecordSummary {
        summarize_rows(record, &LAYOUT, 0)
    }
}
