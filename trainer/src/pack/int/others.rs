//! Layers without weighted sums as integers.

use anyhow::{Result, ensure};
use embedded_rnn::Kind as Code;
use embedded_rnn::format::LayerRecord;

use super::{ACT_MAX, BIAS_LIMIT, FULL_SCALE, LINEAR_FRAC, Place, unit_for};
use crate::layers::{BatchNormalization, Embedding, Kind, Layer, LayerNormalization};
use crate::net::Network;
use crate::pack::calibrate::Ranges;
use crate::pack::file::Packed;
use crate::pack::float::{embedding_record, framewise_record, masking_record, scales_and_offsets};
use crate::tensor::Matrix;

/// Multipliers stay below this.
const MULTIPLIER_LIMIT: f64 = (1u32 << 31) as f64;

/// Least unit of a layer normalization's output for a factor of one, whose multiplier is then just below the limit.
const LEAST_UNIT: f64 = FULL_SCALE * (1.0 + 1e-6);

/// What stands first in an integer model and takes real inputs, or ids. Gives the unit of the integers, and how many of the
/// network's layers that was.
pub fn entrance(
    network: &Network<f32>,
    ranges: &[Ranges],
    records: &mut Vec<Packed<i32>>,
) -> Result<(f64, usize)> {
    let (mut layers, mut ranges, mut taken) = (&network.layers[..], ranges, 0);
    if let Some((Layer { kind: Kind::Masking(layer), name }, rest)) = layers.split_first() {
        let weights = vec![layer.mask_value.to_bits() as i32];
        records.push(Packed { record: masking_record(layer), weights, name: name.clone() });
        (layers, ranges, taken) = (rest, &ranges[1..], 1);
    }
    let unit_of_output = || unit_for(ranges[0].output);
    let (words, unit, name) = match layers.first() {
        Some(Layer { kind: Kind::Embedding(layer), name }) => {
            let (packed, unit) = embedding(layer, name)?;
            records.push(packed);
            return Ok((unit, taken + 1));
        }
        Some(Layer { kind: Kind::Normalization(layer), name }) => {
            let unit = unit_of_output();
            (scales_and_offsets(layer, unit), unit, name.as_str())
        }
        Some(Layer { kind: Kind::BatchNormalization(layer), name }) => {
            let unit = unit_of_output();
            let (scale, offset) = layer.scale_and_offset();
            let all = scale.iter().chain(offset.iter());
            (all.map(|&v| (f64::from(v) / unit) as f32).collect(), unit, name.as_str())
        }
        _ => {
            let unit = ranges.first().map_or(1.0, unit_of_inputs);
            let features = network.input_size;
            let words = [vec![(1.0 / unit) as f32; features], vec![0.0; features]].concat();
            records.push(entrance_record(words, unit, "input", features));
            return Ok((unit, taken));
        }
    };
    records.push(entrance_record(words, unit, name, network.input_size));
    Ok((unit, taken + 1))
}

/// The unit of inputs that no layer normalizes. Whole numbers that have 16 bits stay what they are rather than be rounded to
/// every second one.
fn unit_of_inputs(ranges: &Ranges) -> f64 {
    let unit = unit_for(ranges.input);
    if !ranges.fractions && f64::from(ranges.input) <= ACT_MAX { unit.min(1.0) } else { unit }
}

/// Scales and offsets that bring real inputs to integers of `unit`.
fn entrance_record(words: Vec<f32>, unit: f64, name: &str, features: usize) -> Packed<i32> {
    one(framewise_record(Code::Normalization, features), bytemuck::cast_vec(words), unit, name)
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
    // Where epsilon is far above all variances that were met, factors are far above all outputs, and must fit as well.
    let unit = unit_for(place.ranges.output).max(f64::from(layer.gamma.amax()) * LEAST_UNIT);
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

#[cfg(test)]
mod tests {
    use crate::layers::Kind;
    use crate::pack::{Meta, Random, quantize};

    /// Frames whose variance is far below epsilon, around it, above it, and nothing at all; the error as a share of the
    /// outputs, of 20 networks, is mostly that of the weights before: 0.010 at worst.
    #[test]
    fn a_layer_normalization_of_any_variance_has_integers() {
        let layers = "{ type = 'Dense', units = 4 }, { type = 'LayerNormalization' }";
        for size in [0.0, 1e-3, 1e-2, 0.1, 1.0] {
            for seed in 0..20 {
                let random = Random { layers, input_size: 3, steps: 50, seed };
                let (mut network, frames) = random.make().unwrap();
                let Kind::Dense(dense) = &mut network.layers[0].kind else { unreachable!() };
                dense.weight *= size;
                dense.bias *= size;
                let Kind::LayerNormalization(layer) = &mut network.layers[1].kind else { unreachable!() };
                layer.beta.fill(0.0);
                let errors = quantize(&network, &Meta::default(), &[&frames]).unwrap().errors;
                assert!(errors[1].worst <= 0.0121 * errors[1].range, "{size}, seed {seed}: {:?}", errors[1]);
            }
        }
    }
}
