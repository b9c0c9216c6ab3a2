//! What a model holds and costs.

use std::fmt;

use embedded_rnn::format::{LayerRecord, header::LayerInfo};
use embedded_rnn::{ALL_FEATURES, Kind};
use serde::Serialize;

use crate::activation::Activation;
use crate::deployed::Deployed;
use crate::pack;

/// A model at a glance. Its field names are those of `ernn inspect --json`, on which scripts rely.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The model's name.
    pub name: String,
    /// Program and version that wrote the file.
    pub producer: String,
    /// `f32` or `i8`.
    pub dtype: &'static str,
    /// Features of a time step.
    pub input_size: usize,
    /// Values of an answer.
    pub output_size: usize,
    /// Whether it answers at every time step.
    pub returns_sequences: bool,
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
    /// Bytes of RAM for every time step beside that, in a model that reads sequences from their ends.
    pub ram_bytes_per_step: u32,
    /// Multiply-adds of all layers in a time step.
    pub macs_per_step: u64,
    /// `passed`, or how the golden trace failed on this machine.
    pub self_test: String,
}

/// A layer at a glance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerSummary {
    /// The layer's name.
    pub name: String,
    /// Keras's name of its kind.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Values it takes a time step.
    pub input_size: u32,
    /// Values it gives a time step.
    pub units: u32,
    /// What is applied to its sums, Keras's name; none in Normalization.
    pub activation: Option<&'static str>,
    /// The same for its gates, where it has any.
    pub recurrent_activation: Option<&'static str>,
    /// Whether every time step's answer goes on to the next layer.
    pub return_sequences: bool,
    /// Whether it reads sequences from their ends.
    pub go_backwards: bool,
    /// Trained numbers: weights and biases.
    pub parameters: u64,
    /// Multiply-adds of inputs and state with weights in a time step.
    pub macs_per_step: u64,
    /// Where it came from; empty if it was trained here.
    pub origin: String,
}

impl Summary {
    /// Of a checked model.
    pub fn of(model: &Deployed<'_>) -> Self {
        let (preamble, header) = (model.preamble(), model.header());
        let names: Vec<LayerInfo<'_>> = header.iter().flat_map(|header| header.layers()).collect();
        let layer = |(i, record): (usize, &LayerRecord)| match names.get(i) {
            Some(info) => LayerSummary::of(record, info.name.to_owned(), info.origin.to_owned()),
            None => LayerSummary::of(record, format!("layer_{i}"), String::new()),
        };
        let layers: Vec<LayerSummary> = model.layers().iter().enumerate().map(layer).collect();
        Self {
            name: header.map_or(String::new(), |header| header.info().name.to_owned()),
            producer: header.map_or(String::new(), |header| header.info().producer.to_owned()),
            dtype: match model {
                Deployed::F32(_) => "f32",
                Deployed::F16(_) => "f16",
                Deployed::I8(_) => "i8",
            },
            input_size: model.input_size(),
            output_size: model.output_size(),
            returns_sequences: model.returns_sequences(),
            labels: model.labels(),
            parameters: layers.iter().map(|layer| layer.parameters).sum(),
            macs_per_step: layers.iter().map(|layer| layer.macs_per_step).sum(),
            layers,
            flash_bytes: preamble.file_len,
            ram_bytes: preamble.ram_needed,
            ram_bytes_per_step: preamble.ram_a_step,
            self_test: model.self_test().map_or_else(|error| error.to_string(), |()| "passed".to_owned()),
        }
    }
}

impl LayerSummary {
    fn of(record: &LayerRecord, name: String, origin: String) -> Self {
        let kind = Kind::from_code(record.kind, ALL_FEATURES);
        let counted = counted(record, kind);
        let activation = |code: u8| pack::activation(code).map(Activation::keras_name);
        let sums = counted.rows > 0;
        let form = kind.and_then(pack::form_of);
        Self {
            name,
            kind: kind.map_or("unknown", keras_name),
            input_size: record.input_size,
            units: record.units,
            activation: if sums { activation(record.activation) } else { None },
            recurrent_activation: form
                .filter(|form| form.has_gates())
                .and_then(|_| activation(record.recurrent_activation)),
            return_sequences: record.return_sequences(),
            go_backwards: record.go_backwards(),
            parameters: counted.parameters,
            macs_per_step: counted.macs,
            origin,
        }
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

/// Names come from a file that may be anybody's, so what would move the cursor is escaped.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answers = if self.returns_sequences { "every step" } else { "after the last step" };
        writeln!(
            f,
            "{}: {}, made by {}",
            self.name.escape_debug(),
            self.dtype,
            self.producer.escape_debug()
        )?;
        writeln!(f, "{} features a step, {} outputs {answers}", self.input_size, self.output_size)?;
        if !self.labels.is_empty() {
            writeln!(f, "labels: {}", self.labels.join(", ").escape_debug())?;
        }
        let widest = self.layers.iter().map(|layer| layer.name.escape_debug().count()).max();
        let width = widest.unwrap_or(0).max(5);
        writeln!(
            f,
            "\n{:<width$} {:<14} {:>6} {:>6} {:<10} {:>10} {:>10}  origin",
            "layer", "type", "input", "units", "activation", "parameters", "MACs/step"
        )?;
        for layer in &self.layers {
            let line = format!(
                "{:<width$} {:<14} {:>6} {:>6} {:<10} {:>10} {:>10}  {}",
                layer.name.escape_debug().to_string(),
                layer.kind,
                layer.input_size,
                layer.units,
                layer.activation.unwrap_or(""),
                layer.parameters,
                layer.macs_per_step,
                layer.origin.escape_debug()
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        write!(
            f,
            "\nparameters: {}\nflash: {} bytes\nRAM: {} bytes\nMACs per step: {}\nself-test: {}",
            self.parameters, self.flash_bytes, self.ram_bytes, self.macs_per_step, self.self_test
        )
    }
}
