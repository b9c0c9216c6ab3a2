//! Weighted rows in floats: f32 or binary16.

use anyhow::{Result, bail};
use embedded_rnn::{F16, F32, Number};
use half::f16;

use super::order::{Slot, panels};
use super::{DenseParts, PackedLayer};

/// A dtype whose arithmetic is f32: the conversion of its weights to and from files.
pub trait FloatWeights: Number<In = f32, Out = f32> {
    /// Rounds weights to the nearest values of the dtype.
    fn round(weights: Vec<f32>) -> Vec<Self::Weight>;
    /// Stores numbers that are f32 in every file, as words of the dtype.
    fn store_f32(numbers: Vec<f32>) -> Vec<Self::Weight>;
    /// Returns the weights of a file as f32.
    fn to_f32(weights: &[Self::Weight]) -> Vec<f32>;
}

impl FloatWeights for F32 {
    fn round(weights: Vec<f32>) -> Vec<f32> {
        weights
    }
    fn store_f32(numbers: Vec<f32>) -> Vec<f32> {
        numbers
    }
    fn to_f32(weights: &[f32]) -> Vec<f32> {
        weights.to_vec()
    }
}

impl FloatWeights for F16 {
    fn round(weights: Vec<f32>) -> Vec<u16> {
        weights.into_iter().map(|w| f16::from_f32(w).to_bits()).collect()
    }
    fn store_f32(numbers: Vec<f32>) -> Vec<u16> {
        bytemuck::cast_slice(&numbers).to_vec()
    }
    fn to_f32(weights: &[u16]) -> Vec<f32> {
        weights.iter().map(|&bits| f16::from_bits(bits).to_f32()).collect()
    }
}

/// Rounds weights to the nearest values of the dtype.
///
/// # Errors
/// A finite weight that becomes infinite in the dtype.
pub fn to_weights<N: FloatWeights>(numbers: Vec<f32>) -> Result<Vec<N::Weight>> {
    let weights = N::round(numbers.clone());
    let lost = |(was, is): (&f32, f32)| was.is_finite() && !is.is_finite();
    if numbers.iter().zip(N::to_f32(&weights)).any(lost) {
        bail!("a weight beyond 65,504, the largest of binary16");
    }
    Ok(weights)
}

/// Packs a layer of weighted rows into panels.
///
/// # Errors
/// A weight that the dtype cannot hold.
pub fn float_rows<N: FloatWeights>(parts: &DenseParts, name: &str) -> Result<PackedLayer<N::Weight>> {
    let number = |slot| match slot {
        Slot::Bias(row) => parts.bias(row) * parts.fold(row),
        Slot::Input(row, k) => parts.weights.w_ih[(row, k)] * parts.fold(row),
        Slot::RecurrentBias(row) => parts.weights.recurrent_bias[row] * parts.fold(row),
        Slot::Recurrent(row, k) => parts.weights.w_hh[(row, k)] * parts.fold(row),
    };
    let numbers = panels(parts.layout, parts.sizes()).map(|slot| slot.map_or(0.0, number)).collect();
    Ok(PackedLayer::new(parts.record(), to_weights::<N>(numbers)?, name))
}
