//! Layers without weighted sums as integers.

use anyhow::{Result, ensure};
use embedded_rnn::Kind as Code;
use embedded_rnn::format::LayerRecord;

use super::{ACT_MAX, BIAS_LIMIT, LINEAR_FRAC, Place, unit_for};
use crate::layers::{BatchNormalization, Embedding, Kind, Layer, LayerNormalization, Normalization};
use crate::net::Network;
use crate::pack::calibrate::Ranges;
use crate::pack::file::Packed;
use crate::pack::float::{embedding_record, framewise_record, scales_and_offsets};
use crate::tensor::Matrix;

/// Multipliers stay below this.
const MULTIPLIER_LIMIT: f64 = (1u32 << 31) as f64;

/// What stands first in an integer model and takes real inputs, or ids. Gives the unit of the integers, and how many of the
/// network's layers that was.
pub fn entrance(
    network: &Network<f32>,
    ranges: &[Ranges],
    layers: &mut Vec<Packed<i32>>,
) -> Result<(f64, usize)> {
    let features = network.input_size;
    let (words, unit, name, taken) = match network.layers.first() {
        Some(Layer { kind: Kind::Embedding(layer), name }) => {
            let (packed, unit) = embedding(layer, name)?;
            layers.push(packed);
            return Ok((unit, 1));
        }
        Some(Layer { kind: Kind::Normalization(layer), name }) => {
            let unit = unit_for(ranges[0].output);
            (scales_and_offsets(layer, unit), unit, name.as_str(), 1)
        }
        Some(Layer { kind: Kind::BatchNormalization(layer), name }) => {
            let unit = unit_for(ranges[0].output);
            let (scale, offset) = layer.scale_and_offset();
            let all = scale.iter().chain(offset.iter());
            (all.map(|&v| (f64::from(v) / unit) as f32).collect(), unit, name.as_str(), 1)
        }
        _ => {
            let identity = Normalization {
                mean: Matrix::zeros(features, 1),
                variance: Matrix::repeat(features, 1, 1.0),
            };
            let unit = unit_for(ranges[0].input);
            (scales_and_offsets(&identity, unit), unit, "input", 0)
        }
    };
    let record = LayerRecord { output_scale: unit as f32, ..framewise_record(Code::Normalization, features) };
    layers.push(Packed { record, weights: bytemuck::cast_vec(words), name: name.to_owned() });
    Ok((unit, taken))
}

/// A row for each id: its multiplier, and its weights with a scale of their own.
fn embedding(layer: &Embedding<f32>, name: &str) -> Result<(Packed<i32>, f64)> {
    ensure!(
        layer.weight.ncols() <= 1 << 16,
        "{name}: {} ids; an integer model has 65,536",
        layer.weight.ncols()
    );
    ensure!(layer.weight.iter().all(|w| w.is_finite()), "{name}: a weight is not finite");
    let largest = layer.weight.iter().fold(0f32, |max, w| max.max(w.abs()));
    let unit = f64::from(if largest > 0.0 { largest } else { 1.0 }) / ACT_MAX;
    let mut words = Vec::new();
    for row in layer.weight.column_iter() {
        let scale = row.iter().fold(0f64, |max, &w| max.max(f64::from(w).abs())) / 127.0;
        words.push((scale / unit * 64.0).round() as i32);
        let byte = |w: f32| if scale > 0.0 { (f64::from(w) / scale).round() as i8 } else { 0 };
        let mut bytes: Vec<u8> = row.iter().map(|&w| byte(w) as u8).collect();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        words.extend(bytes.as_chunks::<4>().0.iter().map(|word| i32::from_le_bytes(*word)));
    }
    let record = LayerRecord { output_scale: unit as f32, ..embedding_record(layer) };
    Ok((Packed { record, weights: words, name: name.to_owned() }, unit))
}

/// `factor * value` of each as a multiplier.
fn multipliers(values: &Matrix<f32>, factor: f64) -> Result<Vec<i32>> {
    let multiplier = |&value: &f32| {
        let multiplier = (f64::from(value) * factor).round();
        ensure!(multiplier.abs() < MULTIPLIER_LIMIT, "a factor of {value} is out of range");
        Ok(multiplier as i32)
    };
    values.iter().map(multiplier).collect()
}

/// Each in units of a pre-activation of `unit`.
fn offsets(values: &Matrix<f32>, unit: f64) -> Result<Vec<i32>> {
    let offset = |&value: &f32| {
        let offset = (f64::from(value) * 2f64.powi(LINEAR_FRAC) / unit).round();
        ensure!(offset.abs() < BIAS_LIMIT, "an offset of {value} is out of range");
        Ok(offset as i32)
    };
    values.iter().map(offset).collect()
}

/// `mulr(x << 16, m) + b`: `m` is 2^20 for a factor of one between equal units.
pub fn batch_normalization(
    layer: &BatchNormalization<f32>,
    place: Place<'_>,
    name: &str,
) -> Result<(Vec<Packed<i32>>, f64)> {
    let unit = unit_for(place.ranges.output);
    let (scale, offset) = layer.scale_and_offset();
    let mut words = multipliers(&scale, 2f64.powi(16 + LINEAR_FRAC) * place.unit / unit)?;
    words.extend(offsets(&offset, unit)?);
    let record = framewise_record(Code::BatchNormalization, scale.nrows());
    Ok((vec![one(record, words, unit, name)], unit))
}

/// `mulr(normalized, m) + b`, normalized with 20 fraction bits.
pub fn layer_normalization(
    layer: &LayerNormalization<f32>,
    place: Place<'_>,
    name: &str,
) -> Result<(Vec<Packed<i32>>, f64)> {
    let unit = unit_for(place.ranges.output);
    let mut words = multipliers(&layer.gamma, 2f64.powi(32 - 20 + LINEAR_FRAC) / unit)?;
    words.extend(offsets(&layer.beta, unit)?);
    // In the unit of squares of differences with 8 fraction bits.
    let epsilon = (f64::from(layer.epsilon) / (place.unit / 256.0).powi(2)).round().max(1.0) as u64;
    words.extend([epsilon as u32 as i32, (epsilon >> 32) as u32 as i32]);
    let record = framewise_record(Code::LayerNormalization, layer.gamma.nrows());
    Ok((vec![one(record, words, unit, name)], unit))
}

fn one(record: LayerRecord, weights: Vec<i32>, unit: f64, name: &str) -> Packed<i32> {
    Packed { record: LayerRecord { output_scale: unit as f32, ..record }, weights, name: name.to_owned() }
}
