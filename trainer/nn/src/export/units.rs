//! The units of an integer model: the real value of one step of an activation, a multiplier or an offset
//! (runtime/INTEGER.md).

use anyhow::{Result, ensure};
use embedded_rnn::format::LINEAR_FRAC;

use crate::tensor::Matrix;

/// The room above the largest magnitude observed in calibration, for inputs and states.
pub(super) const HEADROOM: f64 = 2.0;
/// The limit of biases and offsets, so that adding them to the rest of a pre-activation cannot overflow 32
/// bits.
pub const BIAS_LIMIT: f64 = (1 << 29) as f64;
/// The limit of multipliers.
pub const MULTIPLIER_LIMIT: f64 = ((1u32 << 31) - (1 << 16)) as f64;

/// Returns the real value of one unit of an activation of tanh or sigmoid that has `frac` fraction bits.
pub fn full_scale(frac: u32) -> f64 {
    2f64.powi(-(frac as i32))
}

/// Returns the unit of activations of `frac` fraction bits that reach `range`, with room above it.
pub fn unit_for(range: f32, frac: u32) -> f64 {
    let range = if range > 0.0 { f64::from(range) } else { 1.0 };
    range * HEADROOM * full_scale(frac)
}

/// Returns `factor * value` for each value, as multipliers.
///
/// # Errors
/// A product beyond [`MULTIPLIER_LIMIT`].
pub fn multipliers(values: &Matrix<f32>, factor: f64) -> Result<Vec<i32>> {
    let multiplier = |&value: &f32| {
        let multiplier = (f64::from(value) * factor).round();
        ensure!(multiplier.abs() < MULTIPLIER_LIMIT, "a factor of {value} is out of range");
        Ok(multiplier as i32)
    };
    values.iter().map(multiplier).collect()
}

/// Returns each value in units of a pre-activation whose layer has an output of `frac` fraction bits and of
/// `unit`.
///
/// # Errors
/// An offset beyond [`BIAS_LIMIT`].
pub fn offsets(values: &Matrix<f32>, unit: f64, frac: u32) -> Result<Vec<i32>> {
    let offset = |&value: &f32| {
        let offset = (f64::from(value) * 2f64.powi(LINEAR_FRAC as i32 - frac as i32) / unit).round();
        ensure!(offset.abs() < BIAS_LIMIT, "an offset of {value} is out of range");
        Ok(offset as i32)
    };
    values.iter().map(offset).collect()
}
