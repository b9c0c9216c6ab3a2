//! A layer at a glance, and what there is to count in it.

use embedded_rnn::format::LayerRecord;
use embedded_rnn::{ALL_FEATURES, Kind};
use serde::Serialize;

use embedded_rnn_nn::activation::Activation;
use embedded_rnn_nn::layers::{Kind as LayerKind, RecordSummary};

/// A layer at a glance.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LayerSummary {
    /// The layer's name.
    pub name: String,
    /// Keras's name of its kind.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Whether it is one of the decoder's.
    pub decoder: bool,
    /// Values it takes a time step.
    pub input_size: u32,
    /// Values it gives a time step.
    pub units: u32,
    /// What is applied to its sums, Keras's name; none in a layer without sums.
    pub activation: Option<&'static str>,
    /// The same for its gates, where it has any.
    pub recurrent_activation: Option<&'static str>,
    /// Whether every time step's answer goes on to the next layer.
    pub return_sequences: bool,
    /// Whether it reads sequences from their ends.
    pub go_backwards: bool,
    /// What becomes of the two outputs of a Bidirectional, Keras's name. Its two directions are layers before it.
    pub merge_mode: Option<&'static str>,
    /// How many ids an Embedding has vectors for.
    pub input_dim: Option<u32>,
    /// Whether id 0 of an Embedding stands for no time step.
    pub mask_zero: bool,
    /// What all features are of a time step that is none, in Masking.
    pub mask_value: Option<f32>,
    /// Trained numbers, as Keras counts them in a layer with biases: a layer without (`use_bias = false`) has zeros in their
    /// places, and a file does not tell the two apart. What was folded into other layers' numbers is not counted again.
    pub parameters: u64,
    /// Multiply-adds of inputs and state with weights in a time step. A layer without state in front of a Bidirectional runs
    /// for each direction.
    pub macs_per_step: u64,
    /// Where it came from; empty if it was trained here.
    pub origin: String,
}

/// Where a layer stands.
#[derive(Clone, Copy)]
pub struct LayerPosition<'a> {
    /// Whether that is in the decoder.
    pub decoder: bool,
    /// The layer, and those behind it.
    pub following: &'a [LayerRecord],
    /// What all features are of a time step that is none.
    pub mask_value: Option<f32>,
}

impl LayerSummary {
    pub(super) fn new(
        record: &LayerRecord,
        position: LayerPosition<'_>,
        name: String,
        origin: String,
    ) -> Self {
        let kind = Kind::from_code(record.kind, ALL_FEATURES);
        let unknown = || RecordSummary { keras_name: "unknown", ..RecordSummary::default() };
        let own = kind.and_then(|kind| LayerKind::summarize(kind, record)).unwrap_or_else(unknown);
        Self {
            name,
            kind: own.keras_name,
            decoder: position.decoder,
            input_size: record.input_size,
            units: record.units,
            activation: own.activation,
            recurrent_activation: own.recurrent_activation,
            return_sequences: record.return_sequences(),
            go_backwards: record.go_backwards(),
            merge_mode: own.merge_mode,
            input_dim: own.input_dim,
            mask_zero: own.mask_zero,
            mask_value: position.mask_value.filter(|_| own.has_mask_value),
            parameters: own.parameters,
            macs_per_step: own.macs * runs(position.following),
            origin,
        }
    }

    /// What there is to say of it beside sizes and `activation`, as Keras spells it.
    pub fn options(&self) -> String {
        let flag = |is: bool, name: &str| is.then(|| name.to_owned());
        let unusual = self.recurrent_activation.filter(|name| *name != Activation::Sigmoid.keras_name());
        let options = [
            flag(self.decoder, "decoder"),
            self.input_dim.map(|ids| format!("input_dim={ids}")),
            flag(self.mask_zero, "mask_zero"),
            self.mask_value.map(|value| format!("mask_value={value}")),
            self.merge_mode.map(|mode| format!("merge_mode={mode}")),
            flag(self.go_backwards, "go_backwards"),
            unusual.map(|name| format!("recurrent_activation={name}")),
        ];
        options.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// Returns how often the first of these layers runs per time step: layers without state before the two directions of a
/// Bidirectional run for each.
fn runs(layers: &[LayerRecord]) -> u64 {
    let has_state =
        |record: &LayerRecord| Kind::from_code(record.kind, ALL_FEATURES).is_some_and(Kind::is_recurrent);
    match layers.iter().position(has_state) {
        Some(cell) if cell > 0 && layers[cell].is_direction() => 2,
        _ => 1,
    }
}
