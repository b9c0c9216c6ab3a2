//! A layer at a glance, and what there is to count in it.

use embedded_rnn::format::{LayerRecord, MergeMode as MergeCode};
use embedded_rnn::{ALL_FEATURES, Kind};
use serde::Serialize;

use crate::activation::Activation;
use crate::layers::MergeMode;
use crate::pack;

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
pub struct Place<'a> {
    /// Whether that is in the decoder.
    pub decoder: bool,
    /// The layer, and those behind it.
    pub following: &'a [LayerRecord],
    /// What all features are of a time step that is none.
    pub mask_value: Option<f32>,
}

impl LayerSummary {
    pub(super) fn new(record: &LayerRecord, place: Place<'_>, name: String, origin: String) -> Self {
        let kind = Kind::from_code(record.kind, ALL_FEATURES);
        let counted = counted(record, kind);
        let activation = |code: u8| Activation::from_code(code).map(Activation::keras_name);
        let form = kind.and_then(pack::form_of);
        let is = |other: Kind| kind == Some(other);
        Self {
            name,
            kind: kind.map_or("unknown", keras_name),
            decoder: place.decoder,
            input_size: record.input_size,
            units: record.units,
            activation: (counted.rows > 0 || is(Kind::Activation))
                .then(|| activation(record.activation))
                .flatten(),
            recurrent_activation: form
                .filter(|form| form.has_gates())
                .and_then(|_| activation(record.recurrent_activation)),
            return_sequences: record.return_sequences(),
            go_backwards: record.go_backwards(),
            merge_mode: MergeCode::from_code(record.merge_mode)
                .and_then(MergeMode::of)
                .map(MergeMode::keras_name),
            input_dim: is(Kind::Embedding).then_some(record.input_dim),
            mask_zero: is(Kind::Embedding) && record.masks(),
            mask_value: place.mask_value.filter(|_| is(Kind::Masking)),
            parameters: counted.parameters,
            macs_per_step: counted.macs * runs(place.following),
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

/// How often the first of these layers runs in a time step: those without state before the two directions of a Bidirectional
/// run for each.
fn runs(layers: &[LayerRecord]) -> u64 {
    let has_state =
        |record: &LayerRecord| Kind::from_code(record.kind, ALL_FEATURES).and_then(pack::form_of).is_some();
    match layers.iter().position(has_state) {
        Some(cell) if cell > 0 && layers[cell].is_direction() => 2,
        _ => 1,
    }
}

/// What there is to count in a layer.
#[derive(Default)]
struct Counted {
    /// Rows of weighted sums.
    rows: u64,
    parameters: u64,
    macs: u64,
}

fn counted(record: &LayerRecord, kind: Option<Kind>) -> Counted {
    let (inputs, units) = (u64::from(record.input_size), u64::from(record.units));
    let of_sums = |gates: u64, hidden: u64, biases: u64| {
        let (rows, macs) = (gates * units, gates * units * (inputs + hidden));
        Counted { rows, parameters: macs + biases * rows, macs }
    };
    match (kind, kind.and_then(pack::form_of)) {
        (Some(kind), Some(form)) => {
            // Keras counts both biases of a GRU that resets after.
            of_sums(form.gates.len() as u64, units, if kind == Kind::Gru { 2 } else { 1 })
        }
        (Some(Kind::Dense), _) => of_sums(1, 0, 1),
        (Some(Kind::Embedding), _) => {
            Counted { parameters: u64::from(record.input_dim) * units, ..Counted::default() }
        }
        (Some(Kind::Normalization), _) => Counted { macs: units, ..Counted::default() },
        (Some(Kind::BatchNormalization | Kind::LayerNormalization), _) => {
            Counted { parameters: 2 * units, macs: units, ..Counted::default() }
        }
        _ => Counted::default(),
    }
}

/// What Keras calls it.
fn keras_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Lstm => "LSTM",
        Kind::Gru => "GRU",
        Kind::GruResetBefore => "GRU, before",
        Kind::SimpleRnn => "SimpleRNN",
        kind => kind.name(),
    }
}
