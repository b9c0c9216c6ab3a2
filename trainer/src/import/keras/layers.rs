//! From the layers of a config, one after another, to ours.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::Version;
use super::framewise::{Framewise, not_quantized};
use super::graph::{Entry, Input};
use super::naming::Part;
use super::node::{Made, Mask};
use super::weights::LayerWeights;
use crate::import::{Chain, Imported};
use crate::layers::{Embedding, Kind, Layer, Masking};

/// The layers so far, and what comes out of them.
pub struct Builder {
    /// Who wrote the file.
    pub version: Version,
    /// The layers.
    pub chain: Chain,
    /// Features of a frame of the input; 1 for an id.
    pub input_size: usize,
    /// Features that come out.
    pub features: usize,
    /// Whether sequences come out.
    pub time: bool,
    /// Which of their frames count, if not all.
    pub mask: Option<Made>,
    /// Whether ids are what the next layer meets.
    ids: bool,
}

/// Whether a layer has weights.
pub fn has_weights(entry: &Entry) -> bool {
    let mut options = entry.options.clone();
    let mut has = |key| options.flag(key, true).unwrap_or(true);
    match entry.class.as_str() {
        "LayerNormalization" => has("scale") || has("center"),
        class => {
            let with = ["LSTM", "GRU", "SimpleRNN", "Bidirectional", "TimeDistributed", "Dense", "Embedding"];
            with.contains(&class) || class == "BatchNormalization"
        }
    }
}

impl Builder {
    /// Before the first layer, which is of this class.
    ///
    /// # Errors
    /// Input that is not a sequence of frames, one frame, or a sequence of ids.
    pub fn new(version: Version, input: &Input, first: &str) -> Result<Self> {
        let ids = first == "Embedding";
        let (features, time) = match (&input.shape[..], ids) {
            ([_], true) => (1, true),
            (&[_, Some(features)], false) => (features, true),
            (&[Some(features)], false) => (features, false),
            (shape, _) => bail!(
                "batch_shape {}: only [batch, time, features], [batch, features] and ids [batch, time] are read",
                shown(shape)
            ),
        };
        ensure!(features > 0, "batch_shape {}: no features", shown(&input.shape));
        let integer = input.dtype.starts_with("int") || input.dtype.starts_with("uint");
        ensure!(
            input.dtype == "float32" || (ids && integer),
            "dtype {}: only float32 is read, and integers for an Embedding",
            input.dtype
        );
        Ok(Self { version, chain: Chain::default(), input_size: features, features, time, mask: None, ids })
    }

    /// A further layer.
    ///
    /// # Errors
    /// What is not understood, by the attribute.
    pub fn push(&mut self, entry: &mut Entry, mut weights: LayerWeights<'_>) -> Result<()> {
        // On any layer of Keras 2 that once was the first.
        entry.options.ignore(&["batch_input_shape"]);
        let is_recurrent = matches!(entry.class.as_str(), "LSTM" | "GRU" | "SimpleRNN" | "Bidirectional");
        if let Mask::Said(said) = &entry.mask {
            let fits = *said == self.mask || (said.is_none() && !is_recurrent);
            ensure!(fits, "inbound_nodes: mask: not the one that comes with the input");
        }
        let mut class = entry.class.clone();
        let kind = match entry.class.as_str() {
            "Masking" => Some(Kind::Masking(self.masking(entry)?)),
            "Embedding" => Some(Kind::Embedding(self.embedding(entry, &mut weights)?)),
            "LSTM" | "GRU" | "SimpleRNN" => Some(Kind::Recurrent(self.recurrent(entry, &mut weights)?)),
            "Bidirectional" => {
                let (inner, layer) = self.bidirectional(entry, &mut weights)?;
                class = format!("Bidirectional({inner})");
                Some(Kind::Bidirectional(layer))
            }
            "TimeDistributed" => {
                let inner = self.inner(entry)?;
                class = format!("TimeDistributed({})", inner.class);
                let (part, weights) = (Part::Inner, &mut weights);
                let layer = Framewise { class: &inner.class, options: inner.options, part, weights, axes: 2 };
                layer.read(self).context("layer")?
            }
            class => {
                let axes = if self.time { 3 } else { 2 };
                let (options, part, weights) = (entry.options.clone(), Part::Own, &mut weights);
                Framewise { class, options, part, weights, axes }.read(self)?
            }
        };
        weights.finish()?;
        let Some(kind) = kind else { return Ok(()) };
        self.features = kind.get().output_size();
        if !kind.get().keeps_time() {
            (self.time, self.mask) = (false, None);
        }
        self.chain.push(&entry.name, format!("Keras {class} {}", entry.name), kind)
    }

    /// The network.
    ///
    /// # Errors
    /// A Masking in front of layers that have no states to leave alone: Keras then runs them on zeros instead.
    pub fn finish(self, name: &str) -> Result<Imported> {
        let layers = self.chain.layers();
        if let Some(Layer { name, kind: Kind::Masking(_) }) = layers.first() {
            let remembers = layers.iter().any(|layer| !layer.kind.get().states().is_empty());
            ensure!(remembers, "{name}: class_name Masking: not read without a recurrent layer behind it");
        }
        self.chain.finish(name, self.input_size)
    }

    fn masking(&mut self, entry: &mut Entry) -> Result<Masking<f32>> {
        let options = &mut entry.options;
        options.common()?;
        let value = options.number("mask_value")?;
        options.clone().finish()?;
        ensure!((value as f32).is_finite(), "mask_value {value:?}: in no data");
        let first = self.chain.layers().is_empty() && self.time;
        ensure!(first, "class_name Masking: only read where frames come in, as the first layer");
        self.mask = Some(Made { from: entry.from.clone(), value, any: true });
        Ok(Masking { size: self.features, mask_value: value as f32 })
    }

    fn embedding(&mut self, entry: &mut Entry, weights: &mut LayerWeights<'_>) -> Result<Embedding<f32>> {
        let options = &mut entry.options;
        ensure!(std::mem::take(&mut self.ids), "class_name Embedding: only read as the first layer");
        options.common()?;
        let (ids, size) = (options.size("input_dim")?, options.size("output_dim")?);
        let mask_zero = options.flag("mask_zero", false)?;
        options.off("sparse", "not read")?;
        options.ignore(&["input_length"]);
        not_quantized(options)?;
        options.clone().finish()?;
        self.mask = mask_zero.then(|| Made { from: entry.from.clone(), value: 0.0, any: false });
        let [weight] = weights.part(Part::Own, [("embeddings", vec![ids, size])])?;
        Ok(Embedding { weight: weight.matrix()?.transpose(), mask_zero })
    }

    /// The layer that a `TimeDistributed` applies to every frame.
    fn inner(&self, entry: &mut Entry) -> Result<Entry> {
        ensure!(self.time, "class_name TimeDistributed: no time axis is left");
        entry.options.common()?;
        let inner = Entry::read(entry.options.needed("layer")?).context("layer")?;
        entry.options.clone().finish()?;
        Ok(inner)
    }
}

/// Axes as Keras writes them, that of the batch first.
fn shown(shape: &[Option<usize>]) -> Value {
    std::iter::once(&None).chain(shape).map(|&axis| Value::from(axis)).collect()
}
