//! The input stage of an i8 model, which maps real features or ids to integers.

use anyhow::Result;
use embedded_rnn::Kind as RecordKind;
use embedded_rnn::format::LayerRecord;
use embedded_rnn_nn::export::{ACT_MAX, PackedLayer, Ranges, framewise_record, unit_for};
use embedded_rnn_nn::layers::InputStage;
use embedded_rnn_nn::net::Network;

/// The records of the input stage.
pub struct InputRecords {
    pub records: Vec<PackedLayer<i32>>,
    /// The unit of the integers.
    pub unit: f64,
    /// The number of leading layers of the network that the records represent.
    pub layers: usize,
}

/// Returns the records of the input stage. A network without a Normalization, BatchNormalization or Embedding
/// as first layer gets a Normalization that only scales.
///
/// # Errors
/// A layer whose weights integers cannot represent.
pub fn input_records(network: &Network<f32>, ranges: &[Ranges]) -> Result<InputRecords> {
    let mut records = Vec::new();
    for (k, layer) in network.layers.iter().enumerate() {
        let layers = k + 1;
        match layer.kind.input_stage(&layer.name)? {
            InputStage::Mask(record) => records.push(record),
            InputStage::Ids(record, unit) => {
                records.push(record);
                return Ok(InputRecords { records, unit, layers });
            }
            InputStage::Affine(words) => {
                let unit = ranges.get(k).map_or(1.0, |ranges| unit_of_affine(&words, ranges));
                records.push(affine_record(words(unit), unit, &layer.name, network.input_size));
                return Ok(InputRecords { records, unit, layers });
            }
            InputStage::Inner => break,
        }
    }
    let layers = records.len();
    let unit = ranges.get(layers).map_or(1.0, unit_of_inputs);
    let features = network.input_size;
    let words = [vec![(1.0 / unit) as f32; features], vec![0.0; features]].concat();
    records.push(affine_record(words, unit, "input", features));
    Ok(InputRecords { records, unit, layers })
}

/// Returns the number of leading layers that only map real features to integers and have no integer output of
/// their own.
pub fn input_layers(network: &Network<f32>) -> usize {
    let mut count = 0;
    for layer in &network.layers {
        match layer.kind.input_stage(&layer.name) {
            Ok(InputStage::Mask(_)) => count += 1,
            Ok(InputStage::Affine(_)) => return count + 1,
            Ok(InputStage::Ids(..) | InputStage::Inner) | Err(_) => break,
        }
    }
    count
}

/// The largest offset in units of the integers that an f32 sum rounds to less than an eighth of a unit.
const MAX_OFFSET: f32 = (1u32 << 21) as f32;

/// Returns the unit of normalized inputs: that of the calibrated range, or where the offsets are too large
/// for f32 the next power of two, by which a Normalization whose scales are powers of two computes without
/// rounding.
fn unit_of_affine(words: &dyn Fn(f64) -> Vec<f32>, ranges: &Ranges) -> f64 {
    let unit = unit_for(ranges.output);
    let words = words(unit);
    let offsets = &words[words.len() / 2..];
    if offsets.iter().any(|offset| offset.abs() > MAX_OFFSET) { unit.log2().ceil().exp2() } else { unit }
}

/// Returns the unit of inputs that no layer normalizes: that of the calibrated range, but at most 1 for
/// integers in the range of i16, so that no two of them become one.
fn unit_of_inputs(ranges: &Ranges) -> f64 {
    let unit = unit_for(ranges.input);
    if !ranges.fractions && f64::from(ranges.input) <= ACT_MAX { unit.min(1.0) } else { unit }
}

/// Returns the record of a Normalization whose scales and offsets map real features to integers of `unit`.
fn affine_record(words: Vec<f32>, unit: f64, name: &str, features: usize) -> PackedLayer<i32> {
    let record = framewise_record(RecordKind::Normalization, features);
    let record = LayerRecord { output_scale: unit as f32, ..record };
    PackedLayer::new(record, bytemuck::cast_vec(words), name)
}
