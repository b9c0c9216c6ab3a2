//! Quantization: an i8 model file of a network, by the rules of runtime/INTEGER.md.

use anyhow::{Context, Result, bail, ensure};
use embedded_rnn::format::{Activation, LayerRecord};
use embedded_rnn::{I8, Kind as Code, Model};

use super::calibrate::{Ranges, calibrate};
use super::errors::Quantized;
use super::file::{Outline, Packed, assemble};
use super::float::{normalization_record, scales_and_offsets};
use super::layout::{Rows, Side};
use super::parts::{Parts, check_packable, parts};
use super::{Meta, golden_frames};
use crate::layers::{Kind, Layer, Normalization};
use crate::net::Network;
use crate::tensor::Matrix;

/// Room left above the largest magnitude met in calibration, for inputs and states that have 15 bits or more.
const HEADROOM: f64 = 2.0;
/// Largest activation.
const ACT_MAX: f64 = 32767.0;
/// Fraction bits of a pre-activation that goes through a table.
const PRE_FRAC: i32 = 16;
/// Fraction bits of the pre-activation of a linear or relu unit beyond its output's unit.
const LINEAR_FRAC: i32 = 4;
/// Multipliers stay below this, so that a side's part of a pre-activation stays below 2^29.
const MULTIPLIER_LIMIT: f64 = (1 << 30) as f64;
/// Biases stay below this, so that a bias and two sides cannot overflow 32 bits.
const BIAS_LIMIT: f64 = (1 << 29) as f64;
/// A cell state saturates here.
const CELL_LIMIT: f64 = (1 << 30) as f64;
/// Largest sum of the weights' magnitudes of a row, so that with activations down to -32,768 it fits 32 bits.
const ROW_LIMIT: u32 = 65_535;

/// Quantizes `network` with the ranges that `sequences` show. The first sequence also gives the golden trace.
pub fn quantize(network: &Network<f32>, meta: &Meta, sequences: &[&[f32]]) -> Result<Quantized> {
    check_packable(network)?;
    let ranges = calibrate(network, sequences.iter().copied())?;
    Quantized::new(network, sequences, |network| file(network, meta, sequences, &ranges))
}

/// The first `network.layers` of a calibrated network as a file.
fn file(network: &Network<f32>, meta: &Meta, sequences: &[&[f32]], ranges: &[Ranges]) -> Result<Vec<u8>> {
    let frames = sequences.iter().find(|s| !s.is_empty()).context("calibration: no frames")?;
    let golden = golden_frames(frames, network.input_size)?;
    let mut layers = Vec::new();
    let mut scale = input(network, ranges, &mut layers);
    let input_scale = scale;
    for (i, (layer, ranges)) in network.layers.iter().zip(ranges).enumerate() {
        let Some(parts) = parts(layer) else {
            ensure!(i == 0, "{}: Normalization must be the first layer of an integer model", layer.name);
            continue;
        };
        let last = i + 1 == network.layers.len();
        let packed = packed(layer, &parts, ranges, scale, last).with_context(|| layer.name.clone())?;
        scale = packed.record.output_scale.into();
        layers.push(packed);
    }
    let quantized = |model: &Model<'_, I8>| {
        let mut out = vec![0; golden.len()];
        let size = model.input_size();
        for (x, out) in golden.chunks_exact(size).zip(out.chunks_exact_mut(size)) {
            model.quantize_input(x, out)?;
        }
        Ok(out)
    };
    let outline = Outline::<I8> {
        meta,
        returns_sequences: network.returns_sequences(),
        input_scale: input_scale as f32,
        output_scale: scale as f32,
        golden_tolerance: 0.0,
        golden: &quantized,
        golden_steps: golden.len() / network.input_size,
    };
    assemble(&outline, layers)
}

/// The first layer of every integer model: real inputs to integers. Gives the unit of these.
fn input(network: &Network<f32>, ranges: &[Ranges], layers: &mut Vec<Packed<i32>>) -> f64 {
    let features = network.input_size;
    let identity =
        Normalization { mean: Matrix::zeros(features, 1), variance: Matrix::repeat(features, 1, 1.0) };
    let (layer, range, name) = match network.layers.first() {
        Some(Layer { kind: Kind::Normalization(layer), name }) => (layer, ranges[0].output, name.as_str()),
        _ => (&identity, ranges[0].input, "input"),
    };
    let unit = unit_for(range);
    let record = LayerRecord { output_scale: unit as f32, ..normalization_record(features) };
    let words = bytemuck::cast_vec(scales_and_offsets(layer, unit));
    layers.push(Packed { record, weights: words, name: name.to_owned() });
    unit
}

/// The unit of 16-bit activations that reach `range`, with room above it.
fn unit_for(range: f32) -> f64 {
    let range = if range > 0.0 { f64::from(range) } else { 1.0 };
    range * HEADROOM / ACT_MAX
}

fn packed(
    layer: &Layer<f32>,
    p: &Parts<'_>,
    ranges: &Ranges,
    input_scale: f64,
    head: bool,
) -> Result<Packed<i32>> {
    let mut record = p.record();
    let (pre, output_scale) = units(p, ranges, head)?;
    record.output_scale = output_scale as f32;
    if p.kind == Code::Lstm {
        record.cell_frac = cell_frac(ranges.states.get(1).copied().unwrap_or(0.0))?;
    }
    let mut sides = Vec::new();
    let (side, shift) = side(p, p.w_ih, input_scale * pre)?;
    record.x_shift = shift;
    sides.push(side);
    if let Some(w_hh) = p.w_hh {
        let (side, shift) = self::side(p, w_hh, output_scale * pre)?;
        record.h_shift = shift;
        sides.push(side);
    }
    let bias: Vec<i32> = (0..p.bias.nrows()).map(|row| bias(p, row, pre)).collect::<Result<_>>()?;
    let rows = Rows { units: p.units(), bias: &bias, sides: &sides };
    let words = match p.kind {
        Code::Gru => rows.reset_after(&bias_apart(p, pre)?),
        Code::GruResetBefore => rows.reset_before(),
        Code::Lstm => rows.by_unit(),
        _ => rows.single(),
    };
    Ok(Packed { record, weights: words, name: layer.name.clone() })
}

/// Units of a pre-activation in one real unit, and the real value of one unit of the output.
fn units(p: &Parts<'_>, ranges: &Ranges, head: bool) -> Result<(f64, f64)> {
    let dense_head = head && p.kind == Code::Dense;
    let fixed = 2f64.powi(-PRE_FRAC);
    Ok(match p.activation {
        Activation::Tanh | Activation::Sigmoid if dense_head => (1.0 / fixed, fixed),
        Activation::Softmax if dense_head => (1.0 / fixed, fixed),
        Activation::Tanh | Activation::Sigmoid => (1.0 / fixed, 2f64.powi(-15)),
        Activation::Linear | Activation::Relu if dense_head => {
            // As many fraction bits as leave room for four times what was met.
            let room = (BIAS_LIMIT / (4.0 * f64::from(ranges.output).max(1e-30))).log2().floor() as i32;
            let unit = 2f64.powi(-room.min(PRE_FRAC));
            (1.0 / unit, unit)
        }
        Activation::Linear | Activation::Relu => {
            let unit = unit_for(ranges.output.max(ranges.states.first().copied().unwrap_or(0.0)));
            (2f64.powi(LINEAR_FRAC) / unit, unit)
        }
        other => bail!("{other:?} inside an integer model: it can only be the last layer"),
    })
}

/// Fraction bits of a cell state that reaches `range`, with room above it.
fn cell_frac(range: f32) -> Result<u8> {
    let bits = (CELL_LIMIT / (f64::from(range).max(1e-30) * HEADROOM)).log2().floor();
    ensure!(bits >= 18.0, "the cell state reaches {range}; an integer cell state ends at 2,048");
    Ok(bits.min(29.0) as u8)
}

/// A side's integer weights and multipliers; `unit` is that of the activations in units of the pre-activation.
fn side(p: &Parts<'_>, w: &Matrix<f32>, unit: f64) -> Result<(Side, u8)> {
    let rows = (0..w.nrows()).map(|row| {
        let values: Vec<f64> = w.row(row).iter().map(|&v| f64::from(v) * f64::from(p.fold(row))).collect();
        ensure!(values.iter().all(|v| v.is_finite()), "a weight of row {row} is not finite");
        Ok(values)
    });
    let rows: Vec<Vec<f64>> = rows.collect::<Result<_>>()?;
    let fitting = (0..ROW_LIMIT.ilog2() as u8).find_map(|shift| shifted(&rows, unit, shift));
    let largest = rows.iter().flatten().fold(0f64, |a, b| a.max(b.abs())) * unit;
    fitting.with_context(|| format!("weights times activations reach {largest:e}: no scale fits"))
}

/// The rows as integers whose sums are shifted left by `shift`; `None` if a multiplier does not fit then.
fn shifted(rows: &[Vec<f64>], unit: f64, shift: u8) -> Option<(Side, u8)> {
    let (mut weights, mut multipliers) = (Vec::new(), Vec::with_capacity(rows.len()));
    for row in rows {
        let (quantized, scale) = quantize_row(row, ROW_LIMIT >> shift);
        let multiplier = (scale * unit * 2f64.powi(32 - i32::from(shift))).round();
        if multiplier >= MULTIPLIER_LIMIT {
            return None;
        }
        weights.extend(quantized);
        multipliers.push(multiplier as i32);
    }
    Some((Side { inputs: rows.first().map_or(0, Vec::len), weights, multipliers }, shift))
}

/// Weights of a row as integers of at most 127, and their unit. The sum of magnitudes stays within `limit`.
fn quantize_row(values: &[f64], limit: u32) -> (Vec<i8>, f64) {
    let largest = values.iter().fold(0f64, |a, v| a.max(v.abs()));
    if largest == 0.0 {
        return (vec![0; values.len()], 0.0);
    }
    let mut scale = largest / 127.0;
    loop {
        let row: Vec<i8> = values.iter().map(|v| (v / scale).round() as i8).collect();
        let sum: u32 = row.iter().map(|w| u32::from(w.unsigned_abs())).sum();
        if sum <= limit {
            return (row, scale);
        }
        scale *= f64::from(sum) / f64::from(limit) * 1.001;
    }
}

/// A row's bias in units of the pre-activation. Through a table `p` stands for `p + 1/2`: rounding down is to nearest.
fn bias(p: &Parts<'_>, row: usize, pre: f64) -> Result<i32> {
    let value = f64::from(p.bias(row)) * f64::from(p.fold(row)) * pre;
    let table = matches!(p.gates[row / p.units()], Activation::Tanh | Activation::Sigmoid);
    let value = if table { value.floor() } else { value.round() };
    ensure!(value.abs() < BIAS_LIMIT, "bias {} of row {row} is out of range", p.bias(row));
    Ok(value as i32)
}

/// The recurrent biases that stay apart, to the nearest: the other part of the sum is rounded down already.
fn bias_apart(p: &Parts<'_>, pre: f64) -> Result<Vec<i32>> {
    let of_unit = |unit| {
        let value = (f64::from(p.bias_apart(unit)) * pre).round();
        ensure!(value.abs() < BIAS_LIMIT, "recurrent bias {} is out of range", p.bias_apart(unit));
        Ok(value as i32)
    };
    (0..p.units()).map(of_unit).collect()
}
