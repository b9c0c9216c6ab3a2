//! Weighted rows in integers: 8-bit weights with a multiplier per row, and the proof that no sum overflows.

use anyhow::{Context, Result, ensure};
use embedded_rnn::format::{
    Activation as Code, CELL_LIMIT, LINEAR_FRAC, MAX_CELL_FRAC, PRE_FRAC, WIDE_FRAC, min_cell_frac,
};

use super::order::{IntRows, Side};
use super::units::{BIAS_LIMIT, FULL_SCALE, HEADROOM, MULTIPLIER_LIMIT};
use super::{DenseParts, PackedLayer, Site};
use crate::activation::Activation;
use crate::tensor::Matrix;

/// The magnitudes of all terms of a pre-activation together stay below this, so that rounding it cannot overflow either.
const SUM_LIMIT: f64 = (i32::MAX - (1 << 16)) as f64;
/// Largest sum of the weights' magnitudes of a row, so that with activations down to -32,768 it fits 32 bits.
const ROW_LIMIT: u32 = 65_535;

/// Quantizes a layer of weighted rows whose output has the unit `unit`. Pre-activations that are too large for 16 fraction bits
/// get 12 where they go through a table, which saturates long before.
///
/// # Errors
/// Weights, biases or sums that no unit brings within 32 bits.
pub fn int_rows(p: &DenseParts, site: Site<'_>, unit: f64, name: &str) -> Result<PackedLayer<i32>> {
    rows_with(p, site, unit, name, PRE_FRAC).or_else(|narrow| {
        let mut packed = rows_with(p, site, unit, name, WIDE_FRAC).map_err(|_| narrow)?;
        widen(&mut packed.record.activation);
        widen(&mut packed.record.recurrent_activation);
        Ok(packed)
    })
}

/// Replaces an activation's code by that for wide pre-activations, where it has one.
fn widen(code: &mut u8) {
    const WIDE: [(Code, Code); 2] = [(Code::Tanh, Code::TanhWide), (Code::Sigmoid, Code::SigmoidWide)];
    if let Some((_, wide)) = WIDE.iter().find(|(narrow, _)| *narrow as u8 == *code) {
        *code = *wide as u8;
    }
}

fn rows_with(
    p: &DenseParts,
    site: Site<'_>,
    unit: f64,
    name: &str,
    table_frac: u32,
) -> Result<PackedLayer<i32>> {
    let mut record = p.record();
    record.output_scale = unit as f32;
    if p.layout.cell_state {
        let every_second = site.ranges.states.iter().skip(1).step_by(2);
        record.cell_frac = cell_frac(every_second.fold(0.0, |a, &b| a.max(b)), p, unit)?;
    }
    let head = site.head && p.sizes().hidden == 0;
    let pre = |row: usize| pre_activations(p.activation(row), head, unit, table_frac);
    let mut sides = Vec::new();
    let of_x = side(p, &p.weights.w_ih, &|row| site.unit * pre(row))?;
    record.x_shift = of_x.shift;
    sides.push(of_x);
    if p.sizes().hidden > 0 {
        assert_eq!(p.sizes().hidden, p.units(), "the recurrent side is in units of the layer's own output");
        let of_h = side(p, &p.weights.w_hh, &|row| unit * pre(row))?;
        record.h_shift = of_h.shift;
        sides.push(of_h);
    }
    let rows = 0..p.weights.bias.nrows();
    let biases: Vec<i32> =
        rows.clone().map(|row| bias(p, row, pre(row), table_frac)).collect::<Result<_>>()?;
    let separate: Vec<i32> = rows.map(|row| recurrent_bias(p, row, pre(row))).collect::<Result<_>>()?;
    for row in 0..biases.len() {
        let parts = sides.iter().map(|side| side.reach(row));
        let sum = f64::from(biases[row]).abs() + f64::from(separate[row]).abs() + parts.sum::<f64>();
        ensure!(sum < SUM_LIMIT, "the sum of row {row} can reach {:.0}: no 32 bits hold it", sum / pre(row));
    }
    let rows = IntRows { units: p.units(), bias: &biases, recurrent_bias: &separate, sides: &sides };
    Ok(PackedLayer::new(record, rows.words(p.layout), name))
}

/// Returns the units of a pre-activation per real unit, for a row of a layer whose output has the unit `unit`.
fn pre_activations(activation: Activation, head: bool, unit: f64, table_frac: u32) -> f64 {
    match activation {
        Activation::Tanh | Activation::Sigmoid => 2f64.powi(table_frac as i32),
        Activation::Linear | Activation::Relu if head => 1.0 / unit,
        Activation::Linear | Activation::Relu => 2f64.powi(LINEAR_FRAC as i32) / unit,
        _ => 2f64.powi(PRE_FRAC as i32),
    }
}

/// Returns the fraction bits of a cell state that reaches `range`, with room above it. Its unit is the full scale of `unit`.
fn cell_frac(range: f32, p: &DenseParts, unit: f64) -> Result<u8> {
    let full_scales = f64::from(range) * FULL_SCALE / unit;
    let bits = (f64::from(CELL_LIMIT) / (full_scales.max(1e-30) * HEADROOM)).log2().floor();
    let least = f64::from(min_cell_frac(p.activations.value.code() as u8));
    ensure!(bits >= least, "the cell state reaches {range}; an integer cell state ends at 2,048");
    Ok(bits.min(f64::from(MAX_CELL_FRAC)) as u8)
}

/// Quantizes one side: its integer weights and multipliers. `unit` is that of the activations in units of a row's
/// pre-activation.
fn side(p: &DenseParts, w: &Matrix<f32>, unit: &dyn Fn(usize) -> f64) -> Result<Side> {
    let rows = (0..w.nrows()).map(|row| {
        let values: Vec<f64> = w.row(row).iter().map(|&v| f64::from(v) * f64::from(p.fold(row))).collect();
        ensure!(values.iter().all(|v| v.is_finite()), "a weight of row {row} is not finite");
        Ok(values)
    });
    let rows: Vec<Vec<f64>> = rows.collect::<Result<_>>()?;
    let fitting = (0..ROW_LIMIT.ilog2() as u8).find_map(|shift| shifted(&rows, unit, shift));
    fitting.with_context(|| {
        let row_largest =
            |(row, values): (usize, &Vec<f64>)| values.iter().fold(0f64, |a, b| a.max(b.abs())) * unit(row);
        let largest = rows.iter().enumerate().map(row_largest).fold(0f64, f64::max);
        format!("weights times activations reach {largest:e}: no scale fits")
    })
}

/// Quantizes rows whose sums are shifted left by `shift`; `None` if a multiplier does not fit then.
fn shifted(rows: &[Vec<f64>], unit: &dyn Fn(usize) -> f64, shift: u8) -> Option<Side> {
    let (mut weights, mut multipliers) = (Vec::new(), Vec::with_capacity(rows.len()));
    for (number, row) in rows.iter().enumerate() {
        let (quantized, scale) = quantize_row(row, ROW_LIMIT >> shift);
        let multiplier = (scale * unit(number) * 2f64.powi(32 - i32::from(shift))).round();
        if multiplier >= MULTIPLIER_LIMIT {
            return None;
        }
        weights.extend(quantized);
        multipliers.push(multiplier as i32);
    }
    Some(Side { inputs: rows.first().map_or(0, Vec::len), weights, multipliers, shift })
}

impl Side {
    /// Returns the largest magnitude of a row's term of the pre-activation: the sum of its weights' magnitudes times the largest
    /// activation, shifted and scaled.
    fn reach(&self, row: usize) -> f64 {
        let weights = &self.weights[row * self.inputs..][..self.inputs];
        let sum: f64 = weights.iter().map(|w| f64::from(w.unsigned_abs())).sum();
        sum * 32768.0 * 2f64.powi(i32::from(self.shift) - 32) * f64::from(self.multipliers[row]) + 1.0
    }
}

/// Rounds the weights of a row to integers of at most 127, and returns them with their unit. The sum of their magnitudes
/// stays within `limit`.
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

/// Returns the bias of a row in units of its pre-activation. In a table that is not wide `p` stands for `p + 1/2`: there
/// rounding down is rounding to nearest.
fn bias(p: &DenseParts, row: usize, pre: f64, table_frac: u32) -> Result<i32> {
    let value = f64::from(p.bias(row)) * f64::from(p.fold(row)) * pre;
    let table = table_frac == PRE_FRAC && matches!(p.activation(row), Activation::Tanh | Activation::Sigmoid);
    let value = if table { value.floor() } else { value.round() };
    ensure!(value.abs() < BIAS_LIMIT, "bias {} of row {row} is out of range", p.bias(row));
    Ok(value as i32)
}

/// Returns the separate recurrent bias of a row, or 0, rounded to nearest: the other term is rounded down already.
fn recurrent_bias(p: &DenseParts, row: usize, pre: f64) -> Result<i32> {
    if !p.has_separate_recurrent_bias(row) {
        return Ok(0);
    }
    let bias = p.weights.recurrent_bias[row];
    let value = (f64::from(bias) * f64::from(p.fold(row)) * pre).round();
    ensure!(value.abs() < BIAS_LIMIT, "recurrent bias {bias} of row {row} is out of range");
    Ok(value as i32)
}
