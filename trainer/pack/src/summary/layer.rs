//! The summary of a layer: its options, parameters and multiply-accumulates.

use embedded_rnn::format::LayerRecord;
use embedded_rnn::{ALL_FEATURES, Kind};
use serde::Serialize;

use embedded_rnn_nn::activation::Activation;
use embedded_rnn_nn::layers::{Kind as LayerKind, RecordSummary};

/// The summary of a layer.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LayerSummary {
    /// The layer's name.
    pub name: String,
    /// The type of the layer, by its Keras name.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// `true` for a layer of the decoder.
    pub decoder: bool,
    /// Input values per time step.
    pub input_size: u32,
    /// Output values per time step.
    pub units: u32,
    /// The activation by its Keras name; `None` in a layer without pre-activations.
    pub activation: Option<&'static str>,
    /// The parameter of the activation, unless it is the default one: the slope of leaky_relu, alpha of elu.
    pub activation_parameter: Option<f32>,
    /// The activation of the gates by its Keras name; `None` in a layer without gates.
    pub recurrent_activation: Option<&'static str>,
    /// `true` if the layer outputs every time step, not only the last.
    pub return_sequences: bool,
    /// `true` if the layer processes sequences in reverse.
    pub go_backwards: bool,
    /// `true` if the layer starts from a state other than zeros, which the file contains.
    pub initial_state: bool,
    /// The merge mode of a Bidirectional by its Keras name. Its two directions are layers before it.
    pub merge_mode: Option<&'static str>,
    /// The number of ids of an Embedding.
    pub input_dim: Option<u32>,
    /// `true` if id 0 of an Embedding marks a masked time step.
    pub mask_zero: bool,
    /// The value of all features of a masked time step, in a Masking layer.
    pub mask_value: Option<f32>,
    /// Trainable parameters as Keras counts them, always with biases: a file stores zeros for a layer with
    /// `use_bias = false`, which cannot be distinguished. Parameters that were folded into other layers are
    /// not counted.
    pub parameters: u64,
    /// Multiply-accumulates of inputs and state with weights per time step. A layer without state in front of
    /// a Bidirectional runs once per direction.
    pub macs_per_step: u64,
    /// The origin of an imported layer; empty if it was trained here.
    pub origin: String,
}

/// The position of a layer in its model.
#[derive(Clone, Copy)]
pub struct LayerPosition<'a> {
    /// `true` in the decoder.
    pub decoder: bool,
    /// The layer itself and those after it.
    pub following: &'a [LayerRecord],
    /// The value of all features of a masked time step.
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
            activation_parameter: Some(record.activation_parameter).filter(|&parameter| parameter != 0.0),
            recurrent_activation: own.recurrent_activation,
            return_sequences: record.return_sequences(),
            go_backwards: record.go_backwards(),
            initial_state: record.has_initial_state(),
            merge_mode: own.merge_mode,
            input_dim: own.input_dim,
            mask_zero: own.mask_zero,
            mask_value: position.mask_value.filter(|_| own.has_mask_value),
            parameters: own.parameters,
            macs_per_step: own.macs * runs(position.following),
            origin,
        }
    }

    /// Returns the options other than sizes and `activation` by their Keras names, separated by commas.
    pub fn options(&self) -> String {
        let flag = |is: bool, name: &str| is.then(|| name.to_owned());
        let unusual = self.recurrent_activation.filter(|name| *name != Activation::Sigmoid.keras_name());
        let options = [
            flag(self.decoder, "decoder"),
            self.input_dim.map(|ids| format!("input_dim={ids}")),
            flag(self.mask_zero, "mask_zero"),
            self.mask_value.map(|value| format!("mask_value={value}")),
            self.merge_mode.map(|mode| format!("merge_mode={mode}")),
            self.activation_parameter.map(|parameter| format!("activation_parameter={parameter}")),
            flag(self.go_backwards, "go_backwards"),
            flag(self.initial_state, "initial_state"),
            unusual.map(|name| format!("recurrent_activation={name}")),
        ];
        options.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// Returns how often the first of `layers` runs per time step: twice if it has no state and the next layer
/// with state is a direction of a Bidirectional.
fn runs(layers: &[LayerRecord]) -> u64 {
    let has_state =
        |record: &LayerRecord| Kind::from_code(record.kind, ALL_FEATURES).is_some_and(Kind::is_recurrent);
    match layers.iter().position(has_state) {
        Some(cell) if cell > 0 && layers[cell].is_direction() => 2,
        _ => 1,
    }
}
