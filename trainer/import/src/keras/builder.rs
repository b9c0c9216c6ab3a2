//! The conversion of the layers of a config, one after another.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::frames::FrameInfo;
use super::framewise::{Framewise, not_quantized};
use super::inbound::{MaskArg, MaskSource};
use super::layer_config::{InputSpec, LayerConfig};
use super::naming::SubLayer;
use super::recurrent::{bidirectional, recurrent};
use super::version::KerasVersion;
use super::weights::LayerWeights;
use crate::stack::{Imported, LayerStack};
use embedded_rnn_nn::layers::{Embedding, Kind, Layer, Masking};

/// The layers so far, and their output.
pub struct LayerBuilder {
    stack: LayerStack,
    /// The number of features per input frame; 1 for an id.
    input_size: usize,
    /// The output of the layers.
    info: FrameInfo,
    /// Whether the next layer reads ids.
    ids: bool,
}

/// Returns whether a layer has weights.
pub fn has_weights(layer: &LayerConfig) -> bool {
    let mut options = layer.options.clone();
    let mut has = |key| options.flag(key, true).unwrap_or(true);
    match layer.class.as_str() {
        "LayerNormalization" => has("scale") || has("center"),
        class => {
            let with = ["LSTM", "GRU", "SimpleRNN", "Bidirectional", "TimeDistributed", "Dense", "Embedding"];
            with.contains(&class) || class == "BatchNormalization"
        }
    }
}

impl LayerBuilder {
    /// Creates the builder before the first layer, which has this class.
    ///
    /// # Errors
    /// An input that is neither a sequence of frames, nor one frame, nor a sequence of ids.
    pub fn new(version: KerasVersion, input: &InputSpec, first: &str) -> Result<Self> {
        let ids = first == "Embedding";
        let (features, has_time) = match (&input.shape[..], ids) {
            ([_], true) => (1, true),
            (&[_, Some(features)], false) => (features, true),
            (&[Some(features)], false) => (features, false),
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
        let info = FrameInfo { version, features, has_time, mask: None };
        Ok(Self { stack: LayerStack::default(), input_size: features, info, ids })
    }

    /// Appends a layer.
    ///
    /// # Errors
    /// A construct that is not supported, by attribute.
    pub fn push(&mut self, layer: &mut LayerConfig, mut weights: LayerWeights<'_>) -> Result<()> {
        // In Keras 2, any layer that was once the first has it.
        layer.options.ignore(&["batch_input_shape"]);
        self.check_mask(layer)?;
        let mut class = layer.class.clone();
        let kind = match layer.class.as_str() {
            "Masking" => Some(Kind::Masking(self.masking(layer)?)),
            "Embedding" => Some(Kind::Embedding(self.embedding(layer, &mut weights)?)),
            "LSTM" | "GRU" | "SimpleRNN" => {
                Some(Kind::Recurrent(recurrent(&self.info, layer, &mut weights)?))
            }
            "Bidirectional" => {
                let (inner, layer) = bidirectional(&self.info, layer, &mut weights)?;
                class = format!("Bidirectional({inner})");
                Some(Kind::Bidirectional(layer))
            }
            "TimeDistributed" => {
                let inner = self.inner(layer)?;
                class = format!("TimeDistributed({})", inner.class);
                let (class, sub_layer) = (&inner.class, SubLayer::Inner);
                let weights = &mut weights;
                let layer = Framewise { class, options: inner.options, sub_layer, weights, axes: 2 };
                layer.read(&self.info).context("layer")?
            }
            class => {
                let axes = if self.info.has_time { 3 } else { 2 };
                let (options, sub_layer) = (layer.options.clone(), SubLayer::Own);
                let weights = &mut weights;
                Framewise { class, options, sub_layer, weights, axes }.read(&self.info)?
            }
        };
        weights.finish()?;
        let Some(kind) = kind else { return Ok(()) };
        self.info.features = kind.get().output_size();
        if !kind.get().keeps_time() {
            (self.info.has_time, self.info.mask) = (false, None);
        }
        self.stack.push(&layer.name, format!("Keras {class} {}", layer.name), kind)
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
        self.stack.finish(name, self.input_size)
    }

    /// Checks that an explicit mask is the one of the input.
    fn check_mask(&self, layer: &LayerConfig) -> Result<()> {
        let is_recurrent = matches!(layer.class.as_str(), "LSTM" | "GRU" | "SimpleRNN" | "Bidirectional");
        if let MaskArg::Explicit(mask) = &layer.mask {
            let fits = *mask == self.info.mask || (mask.is_none() && !is_recurrent);
            ensure!(fits, "inbound_nodes: mask: differs from the mask of the input");
        }
        Ok(())
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
        let inner = LayerConfig::read(layer.options.required("layer")?).context("layer")?;
        layer.options.clone().finish()?;
        Ok(inner)
    }
}

/// Returns the axes as Keras writes them, that of the batch first.
fn shown(shape: &[Option<usize>]) -> Value {
    std::iter::once(&None).chain(shape).map(|&axis| Value::from(axis)).collect()
}
