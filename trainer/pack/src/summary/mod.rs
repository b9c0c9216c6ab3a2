//! What a model holds and costs.

mod layer;
mod text;

pub use layer::LayerSummary;

use embedded_rnn::format::LayerRecord;
use serde::Serialize;

use crate::session::Session;
use embedded_rnn_nn::data::InputKind;
use layer::LayerPosition;

/// A model at a glance. Its field names are those of `ernn inspect --json`, on which scripts rely.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The model's name.
    pub name: String,
    /// Program and version that wrote the file.
    pub producer: String,
    /// `f32`, `f16` or `i8`.
    pub dtype: &'static str,
    /// Features of a time step; 1 if it takes ids.
    pub input_size: usize,
    /// How many ids it takes, if it takes ids.
    pub input_ids: Option<usize>,
    /// Values of an answer.
    pub output_size: usize,
    /// Whether it answers at every time step.
    pub returns_sequences: bool,
    /// Whether it is an encoder and a decoder.
    pub encoder_decoder: bool,
    /// Whether it takes sequences whole only, as a layer reads them from their ends.
    pub whole_sequences: bool,
    /// Names of the classes; may be empty.
    pub labels: Vec<String>,
    /// First to last.
    pub layers: Vec<LayerSummary>,
    /// Trained numbers in all layers.
    pub parameters: u64,
    /// Bytes of the file, which lies in flash as it is.
    pub flash_bytes: u32,
    /// Bytes of RAM that a state needs.
    pub ram_bytes: u32,
    /// Bytes of RAM for every time step beside that, in a model that takes whole sequences.
    pub ram_bytes_per_step: u32,
    /// Multiply-adds of all layers in a time step; of an encoder-decoder those of a step of each.
    pub macs_per_step: u64,
    /// `passed`, or how the golden trace failed on this machine.
    pub self_test: String,
}

impl Summary {
    /// Of a checked model.
    pub fn of(model: &Session) -> Self {
        let (preamble, header) = (model.preamble(), model.header());
        let layers = layers(model);
        Self {
            name: header.map_or(String::new(), |header| header.info().name.to_owned()),
            producer: header.map_or(String::new(), |header| header.info().producer.to_owned()),
            dtype: model.dtype().name(),
            input_size: model.input_size(),
            input_ids: match model.input_kind() {
                InputKind::Features(_) => None,
                InputKind::Ids(ids) => Some(ids),
            },
            output_size: model.output_size(),
            returns_sequences: model.returns_sequences(),
            encoder_decoder: model.has_decoder(),
            whole_sequences: model.needs_whole_sequences(),
            labels: model.labels(),
            parameters: layers.iter().map(|layer| layer.parameters).sum(),
            macs_per_step: layers.iter().map(|layer| layer.macs_per_step).sum(),
            layers,
            flash_bytes: preamble.file_len,
            ram_bytes: preamble.ram_needed,
            ram_bytes_per_step: preamble.ram_per_step,
            self_test: model.self_test().map_or_else(|error| error.to_string(), |()| "passed".to_owned()),
        }
    }
}

fn layers(model: &Session) -> Vec<LayerSummary> {
    let header = model.header();
    let names: Vec<_> = header.iter().flat_map(|header| header.layers()).collect();
    let decoder_at = model.preamble().decoder_at as usize;
    let layer = |(i, record): (usize, &LayerRecord)| {
        let (name, origin) = match names.get(i) {
            Some(info) => (info.name.to_owned(), info.origin.to_owned()),
            None => (format!("layer_{i}"), String::new()),
        };
        let place = LayerPosition {
            decoder: model.has_decoder() && i >= decoder_at,
            following: &model.layers()[i..],
            mask_value: model.mask_value(),
        };
        LayerSummary::new(record, place, name, origin)
    };
    model.layers().iter().enumerate().map(layer).collect()
}
