//! The facts of a model as JSON, which every engine parses.

use embedded_rnn::{ALL_FEATURES, AnyModel, Kind, format::LayerRecord};
use std::fmt::Write;

/// Returns sizes, labels and layers as a JSON object.
pub fn describe(model: &AnyModel) -> String {
    let preamble = model.preamble();
    let labels: Vec<String> =
        model.header().map(|header| header.labels().map(quoted).collect()).unwrap_or_default();
    let layers: Vec<String> = model.layers().iter().map(layer).collect();
    format!(
        r#"{{"dtype":"{}","inputSize":{},"outputSize":{},"inputScale":{},"outputScale":{},"ram":{},"size":{},"goldenSteps":{},"inputIds":{},"returnsSequences":{},"needsWholeSequences":{},"labels":[{}],"layers":[{}]}}"#,
        model.dtype().name(),
        model.input_size(),
        model.output_size(),
        // Their bits: the digits of a float would take 16 KB of code.
        preamble.input_scale.to_bits(),
        preamble.output_scale.to_bits(),
        preamble.ram_needed,
        preamble.file_len,
        preamble.golden_steps,
        model.input_ids().map_or("null".into(), |count| count.to_string()),
        model.returns_sequences(),
        model.needs_whole_sequences(),
        labels.join(","),
        layers.join(","),
    )
}

fn layer(record: &LayerRecord) -> String {
    let kind = Kind::from_code(record.kind, ALL_FEATURES).map_or("", keras_name);
    let (input, output, weights) = (record.input_size, record.units, record.weights_len);
    format!(r#"{{"type":"{kind}","inputSize":{input},"outputSize":{output},"weightBytes":{weights}}}"#)
}

/// Returns Keras's name of a kind, which is that of the runtime but for the cells.
fn keras_name(kind: Kind) -> &'static str {
    match kind {
        Kind::SimpleRnn => "SimpleRNN",
        Kind::Lstm => "LSTM",
        Kind::Gru | Kind::GruResetBefore => "GRU",
        other => other.name(),
    }
}

/// Returns the text as a JSON string.
fn quoted(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            // A String takes everything.
            c if c < ' ' => _ = write!(json, "\\u{:04x}", c as u32),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}
