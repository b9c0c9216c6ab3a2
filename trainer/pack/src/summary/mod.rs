//! The summary of a model file: layers, sizes, memory and multiply-accumulates.

mod layer;
mod text;

pub use layer::LayerSummary;

use embedded_rnn::format::LayerRecord;
use serde::Serialize;

use crate::session::Session;
use embedded_rnn_nn::data::InputKind;
use layer::LayerPosition;

/// The summary of a model. Its field names are those of `ernn inspect --json`, which scripts rely on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The model's name.
    pub name: String,
    /// Program and version that wrote the file.
    pub producer: String,
    /// `f32`, `f16` or `i8`.
    pub dtype: &'static str,
    /// Features per time step; 1 if the input is ids.
    pub input_size: usize,
    /// The number of ids if the input is ids.
    pub input_ids: Option<usize>,
    /// Values per output.
    pub output_size: usize,
    /// `true` if the model outputs every time step, not only the last.
    pub returns_sequences: bool,
    /// `true` for an encoder-decoder.
    pub encoder_decoder: bool,
    /// `true` if the model requires whole sequences, as a layer runs backwards.
    pub whole_sequences: bool,
    /// Names of the classes; may be empty.
    pub labels: Vec<String>,
    /// The layers, first to last.
    pub layers: Vec<LayerSummary>,
    /// Trainable parameters of all layers.
    pub parameters: u64,
    /// Bytes of the file, all of which stay in flash.
    pub flash_bytes: u32,
    /// Bytes of RAM per state.
    pub ram_bytes: u32,
    /// Further bytes of RAM per time step of the sequence, in a model that requires whole sequences.
    pub ram_bytes_per_step: u32,
    /// Multiply-accumulates of all layers per time step; in an encoder-decoder, of one step of the encoder
    /// and one of the decoder.
    pub macs_per_step: u64,
    /// `passed`, or the error of the golden trace on this machine.
    pub self_test: String,
}

impl Summary {
    /// Summarizes a model.
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
        let position = LayerPosition {
            decoder: model.has_decoder() && i >= decoder_at,
            following: &model.layers()[i..],
            mask_value: model.mask_value(),
        };
        LayerSummary::new(record, position, name, origin)
    };
    model.layers().iter().enumerate().map(layer).collect()
}
