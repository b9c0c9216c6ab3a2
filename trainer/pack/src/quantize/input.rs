//! The input stage of an i8 model, which maps real features or ids to integers.

use anyhow::Result;
use embedded_rnn::Kind as RecordKind;
use embedded_rnn::format::{LayerRecord, MAX_INPUT_FRAC};
use embedded_rnn_nn::export::{PackedLayer, Ranges, framewise_record, unit_for};
use embedded_rnn_nn::layers::InputStage;
use embedded_rnn_nn::net::Network;

use super::fracs::Fracs;

/// The records of the input stage.
pub struct InputRecords {
    pub records: Vec<PackedLayer<i32>>,
    /// The unit of the integers.
    pub unit: f64,
    /// Their fraction bits.
    pub frac: u32,
    /// The number of leading layers of the network that the records represent.
    pub layers: usize,
}

/// Returns the records of the input stage. A network without a Normalization, BatchNormalization or Embedding
/// as first layer gets a Normalization that only scales.
///
/// # Errors
/// A layer whose weights integers cannot represent.
pub fn input_records(network: &Network<f32>, ranges: &[Ranges], fracs: Fracs) -> Result<InputRecords> {
    let mut records = Vec::new();
    for (k, layer) in network.layers.iter().enumerate() {
        let layers = k + 1;
        match layer.kind.input_stage(&layer.name)? {
            InputStage::Mask(record) => records.push(record),
            InputStage::Ids(record) => {
                let (record, unit) = record(fracs.inner);
                records.push(record);
                return Ok(InputRecords { records, unit, frac: fracs.inner, layers });
            }
            InputStage::Affine(words) => {
                let frac = fracs.input;
                let unit = ranges.get(k).map_or(1.0, |ranges| unit_of_affine(&words, ranges, frac));
                records.push(affine_record(words(unit), (unit, frac), &layer.name, network.input_size));
                return Ok(InputRecords { records, unit, frac, layers });
            }
            InputStage::Inner => break,
        }
    }
    let layers = records.len();
    let (unit, frac) =
        ranges.get(layers).map_or((1.0, fracs.input), |ranges| scale_of_inputs(ranges, fracs.input));
    let features = network.input_size;
    let words = [vec![(1.0 / unit) as f32; features], vec![0.0; features]].concat();
    records.push(affine_record(words, (unit, frac), "input", features));
    Ok(InputRecords { records, unit, frac, layers })
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
fn unit_of_affine(words: &dyn Fn(f64) -> Vec<f32>, ranges: &Ranges, frac: u32) -> f64 {
    let unit = unit_for(ranges.output, frac);
    let words = words(unit);
    let offsets = &words[words.len() / 2..];
    if offsets.iter().any(|offset| offset.abs() > MAX_OFFSET) { unit.log2().ceil().exp2() } else { unit }
}

/// Returns the unit and the fraction bits of inputs that no layer normalizes: the unit is that of the
/// calibrated range, but at most 1 for integers in the range of i16, so that no two of them become one.
fn scale_of_inputs(ranges: &Ranges, frac: u32) -> (f64, u32) {
    let unit = unit_for(ranges.input, frac);
    if ranges.fractions || ranges.input > f32::from(i16::MAX) || unit <= 1.0 {
        return (unit, frac);
    }
    (1.0, ranges.input.log2().ceil().clamp(frac as f32, MAX_INPUT_FRAC as f32) as u32)
}

/// Returns the record of a Normalization whose scales and offsets map real features to integers of `unit`,
/// with
/// `frac` fraction bits.
fn affine_record(words: Vec<f32>, (unit, frac): (f64, u32), name: &str, features: usize) -> PackedLayer<i32> {
    let record = framewise_record(RecordKind::Normalization, features);
    let record = LayerRecord { output_scale: unit as f32, frac: frac as u8, ..record };
    PackedLayer::new(record, bytemuck::cast_vec(words), name)
}
