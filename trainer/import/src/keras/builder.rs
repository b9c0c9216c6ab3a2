//! The conversion of the layers of a config, one after another.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::arithmetic;
use super::composed;
use super::frames::FrameInfo;
use super::framewise::{Framewise, not_quantized};
use super::inbound::{MaskArg, MaskSource};
use super::layer_config::{InputSpec, LayerConfig};
use super::naming::SubLayer;
use super::recurrent::{bidirectional, recurrent};
use super::residual;
use super::shapes::{self, Axes};
use super::version::KerasVersion;
use super::weights::LayerWeights;
use crate::stack::{Imported, LayerStack};
use embedded_rnn_nn::layers::{Embedding, Kind, Layer, Masking};

/// The layers so far, and their output.
pub struct LayerBuilder {
    pub(super) stack: LayerStack,
    /// The number of features per input frame; 1 for an id.
    input_size: usize,
    /// The output of the layers.
    pub(super) info: FrameInfo,
    /// Whether the next layer reads ids.
    ids: bool,
    /// The outputs of the layers so far and the input, by name, as sums read them.
    pub(super) outputs: HashMap<String, Output>,
    /// The layers whose outputs sums read.
    branches: HashSet<String>,
    /// The number of layers that stay as they are, as a sum reads the output of the last.
    kept: usize,
    /// The names of the stateful layers.
    stateful: Vec<String>,
    /// Facts for the user.
    pub(super) notes: Vec<String>,
}

/// The output of a layer, as a sum reads it.
#[derive(Clone, PartialEq)]
pub struct Output {
    /// The number of layers of the runtime before it.
    pub layers: usize,
    /// The lengths of its axes.
    pub axes: Axes,
}

/// Returns whether a layer has weights.
pub fn has_weights(layer: &LayerConfig) -> bool {
    let mut options = layer.options.clone();
    let mut has = |key| options.flag(key, true).unwrap_or(true);
    match layer.class.as_str() {
        "LayerNormalization" => has("scale") || has("center"),
        "Normalization" => !layer.options.has("mean"),
        "LSTM" | "GRU" | "SimpleRNN" | "Bidirectional" | "TimeDistributed" | "Dense" | "Conv1D" | "PReLU"
        | "Embedding" | "BatchNormalization" => true,
        _ => false,
    }
}

impl LayerBuilder {
    /// Creates the builder before the first layer, which has this class.
    ///
    /// # Errors
    /// An input that is neither a sequence of frames, nor one frame, nor a sequence of ids.
    pub fn new(version: KerasVersion, input: &InputSpec, first: &str) -> Result<Self> {
        let ids = first == "Embedding";
        let (features, steps, has_time) = match (&input.shape[..], ids) {
            (&[steps], true) => (1, steps, true),
            (&[steps, Some(features)], false) => (features, steps, true),
            (&[Some(features)], false) => (features, None, false),
            (shape, _) => bail!(
                "batch_shape {}: only [batch, time, features], [batch, features] and ids [batch, time] \
                 are supported",
                shown(shape)
            ),
        };
        ensure!(features > 0, "batch_shape {}: no features", shown(&input.shape));
        let integer = input.dtype.starts_with("int") || input.dtype.starts_with("uint");
        ensure!(
            input.dtype == "float32" || (ids && integer),
            "dtype {}: only float32 is supported, and integers for an Embedding",
            input.dtype
        );
        let info = FrameInfo { version, features, has_time, steps, is_input: true, mask: None };
        Ok(Self {
            stack: LayerStack::default(),
            input_size: features,
            info,
            ids,
            outputs: HashMap::new(),
            branches: HashSet::new(),
            kept: 0,
            stateful: Vec::new(),
            notes: Vec::new(),
        })
    }

    /// Appends a layer.
    ///
    /// # Errors
    /// A construct that is not supported, by attribute.
    pub fn push(&mut self, layer: &mut LayerConfig, mut weights: LayerWeights<'_>) -> Result<()> {
        // In Keras 2, any layer that was once the first has it.
        layer.options.ignore(&["batch_input_shape"]);
        self.check_inputs(layer)?;
        let mut class = layer.class.clone();
        let kinds = match class.clone().as_str() {
            "Masking" => vec![Kind::Masking(self.masking(layer)?)],
            "Embedding" => vec![Kind::Embedding(self.embedding(layer, &mut weights)?)],
            "LSTM" | "GRU" | "SimpleRNN" => {
                let (recurrent, stateful) = recurrent(&self.info, layer, &mut weights)?;
                self.stateful.extend(stateful.then(|| layer.name.clone()));
                vec![Kind::Recurrent(recurrent)]
            }
            "Bidirectional" => {
                let (inner, layer) = bidirectional(&self.info, layer, &mut weights)?;
                class = format!("Bidirectional({inner})");
                vec![Kind::Bidirectional(layer)]
            }
            "TimeDistributed" => {
                let inner = self.inner(layer)?;
                class = format!("TimeDistributed({})", inner.class);
                self.per_frame(inner, &mut weights).context("layer")?
            }
            "GetItem" | "SlicingOpLambda" => {
                self.take_last_step(layer)?;
                Vec::new()
            }
            "Add" | "TFOpLambda" if layer.other.is_some() => vec![self.residual(layer)?],
            class if arithmetic::is_arithmetic(class) => {
                self.info.check_unmasked(class)?;
                vec![arithmetic::read(layer, self.info.features)?]
            }
            "GlobalMaxPooling1D" | "GlobalAveragePooling1D"
                if self.info.has_time && self.info.steps != Some(1) =>
            {
                vec![self.pooling(layer)?]
            }
            _ if self.reshape(layer)? => Vec::new(),
            class => {
                let axes = if self.info.has_time { 3 } else { 2 };
                let (options, sub_layer) = (layer.options.clone(), SubLayer::Own);
                let weights = &mut weights;
                Framewise { class, options, sub_layer, weights, axes }.read(&self.info)?
            }
        };
        weights.finish()?;
        self.append(&layer.name, &format!("Keras {class} {}", layer.name), kinds)?;
        self.note_output(&layer.name);
        Ok(())
    }

    /// Takes note of the layers whose outputs sums read.
    pub fn note_branches(&mut self, layers: &[LayerConfig]) {
        self.branches.extend(layers.iter().filter_map(|layer| layer.other.clone()));
    }

    /// Takes note of the output of a layer or of the input.
    pub fn note_output(&mut self, name: &str) {
        let layers = self.stack.layers().len();
        if self.branches.contains(name) {
            self.kept = layers;
        }
        self.outputs.insert(name.to_owned(), Output { layers, axes: self.info.axes() });
    }

    /// Appends the layers of the runtime that compute a layer.
    fn append(&mut self, name: &str, origin: &str, mut kinds: Vec<Kind<f32>>) -> Result<()> {
        if self.stack.layers().len() > self.kept {
            composed::merge(self.stack.layers_mut().last_mut(), &mut kinds);
        }
        for (number, kind) in (1..).zip(kinds) {
            (self.info.features, self.info.is_input) = (kind.get().output_size(), false);
            if !kind.get().keeps_time() {
                (self.info.has_time, self.info.steps, self.info.mask) = (false, None, None);
            }
            // Keras has no name with a slash.
            let name = if number == 1 { name.to_owned() } else { format!("{name}/{number}") };
            self.stack.push(&name, origin.to_owned(), kind)?;
        }
        Ok(())
    }

    /// Returns the network.
    ///
    /// # Errors
    /// A Masking before layers without states: Keras then runs them on zeros.
    pub fn finish(self, name: &str) -> Result<Imported> {
        let layers = self.stack.layers();
        if let Some(Layer { name, kind: Kind::Masking(_) }) = layers.first() {
            let has_states = layers.iter().any(|layer| !layer.kind.get().states().is_empty());
            ensure!(
                has_states,
                "{name}: class_name Masking: not supported without a recurrent layer after it"
            );
        }
        let mut notes = self.notes;
        if !self.stateful.is_empty() {
            notes.push(format!(
                "Stateful: {}: the state goes on until it is reset, as in Keras; `predict` and `eval` start \
                 each sequence at a reset state",
                self.stateful.join(", ")
            ));
        }
        Ok(Imported { notes, ..self.stack.finish(name, self.input_size)? })
    }

    /// Checks that a layer has no input but the output so far and its mask.
    ///
    /// # Errors
    /// Another mask, or an index.
    pub fn check_inputs(&self, layer: &LayerConfig) -> Result<()> {
        let takes_part = matches!(layer.class.as_str(), "GetItem" | "SlicingOpLambda");
        let is_read = (takes_part || layer.index.is_none())
            && (arithmetic::is_arithmetic(&layer.class) || layer.operand.is_none())
            && (residual::is_sum(layer) || layer.other.is_none());
        let is_recurrent = matches!(layer.class.as_str(), "LSTM" | "GRU" | "SimpleRNN" | "Bidirectional");
        ensure!(
            is_read && (is_recurrent || layer.initial_state.is_none()),
            "inbound_nodes: 2 inputs, only one is supported"
        );
        if let MaskArg::Explicit(mask) = &layer.mask {
            let fits = *mask == self.info.mask || (mask.is_none() && !is_recurrent);
            ensure!(fits, "inbound_nodes: mask: differs from the mask of the input");
        }
        Ok(())
    }

    /// Checks that no mask goes into a nested model: Keras 3 drops it there, Keras 2 does not.
    ///
    /// # Errors
    /// A mask, or another input.
    pub fn check_nested(&self, model: &LayerConfig) -> Result<()> {
        self.check_inputs(model)?;
        self.info.check_unmasked(&model.class)
    }

    fn masking(&mut self, layer: &mut LayerConfig) -> Result<Masking<f32>> {
        let options = &mut layer.options;
        options.ignore_training()?;
        let value = options.number("mask_value")?;
        options.clone().finish()?;
        ensure!((value as f32).is_finite(), "mask_value {value:?}: not a finite f32");
        let is_first = self.stack.layers().is_empty() && self.info.has_time;
        ensure!(is_first, "class_name Masking: only supported as the first layer, over a time axis");
        self.info.mask = Some(MaskSource { layer: layer.from.clone(), value, any_feature: true });
        Ok(Masking { size: self.info.features, mask_value: value as f32 })
    }

    fn embedding(
        &mut self,
        layer: &mut LayerConfig,
        weights: &mut LayerWeights<'_>,
    ) -> Result<Embedding<f32>> {
        let options = &mut layer.options;
        ensure!(std::mem::take(&mut self.ids), "class_name Embedding: only supported as the first layer");
        options.ignore_training()?;
        let (ids, size) = (options.size("input_dim")?, options.size("output_dim")?);
        let mask_zero = options.flag("mask_zero", false)?;
        options.off("sparse", "not supported")?;
        options.ignore(&["input_length"]);
        not_quantized(options)?;
        options.clone().finish()?;
        let mask = MaskSource { layer: layer.from.clone(), value: 0.0, any_feature: false };
        self.info.mask = mask_zero.then_some(mask);
        let [weight] = weights.array_tuple(SubLayer::Own, [("embeddings", vec![ids, size])])?;
        Ok(Embedding { weight: weight.matrix()?.transpose(), mask_zero })
    }

    /// Reads the layer that a `TimeDistributed` applies to every frame.
    fn inner(&self, layer: &mut LayerConfig) -> Result<LayerConfig> {
        ensure!(self.info.has_time, "class_name TimeDistributed: no time axis");
        layer.options.ignore_training()?;
        let inner = LayerConfig::inside(layer.options.required("layer")?).context("layer")?;
        layer.options.clone().finish()?;
        Ok(inner)
    }

    /// Reads a layer that is applied to every frame, as [`Framewise::read`].
    fn per_frame(&self, mut layer: LayerConfig, weights: &mut LayerWeights<'_>) -> Result<Vec<Kind<f32>>> {
        let frame = [Some(self.info.features)];
        if let Some(axes) = shapes::read(&mut layer, &frame)? {
            self.info.check_unmasked(&layer.class)?;
            ensure!(axes == frame, "class_name {}: not supported per frame", layer.class);
            return Ok(Vec::new());
        }
        let (class, options, sub_layer) = (&layer.class, layer.options, SubLayer::Inner);
        Framewise { class, options, sub_layer, weights, axes: 2 }.read(&self.info)
    }
}

/// Returns the axes as Keras writes them, that of the batch first.
fn shown(shape: &[Option<usize>]) -> Value {
    std::iter::once(&None).chain(shape).map(|&axis| Value::from(axis)).collect()
}
