//! Normalizes every time step to mean 0 and variance 1 over its features, then scales and shifts it.
//!
//! ```text
//! y = gamma (x - mean) / sqrt(variance + epsilon) + beta
//! ```
//! Ba, Kiros and Hinton, 2016; the variance is divided by the number of features, as in Keras.

use super::Layer;
use super::batch_normalization::linear;
use crate::format::{Activation, LayerRecord, MAX_NORMALIZED, MEAN_FRAC, NORMALIZED_FRAC};
use crate::isa::{Isa, mulr};
use crate::number::{FloatNumber, I8, Step, quads};

pub struct LayerNormalization;

/// Returns the words of two values per feature and `more`.
fn words(r: &LayerRecord, more: usize) -> Option<usize> {
    (r.units == r.input_size && r.units() <= MAX_NORMALIZED).then(|| 2 * r.units() + more)
}

impl<N: FloatNumber> Layer<N> for LayerNormalization {
    const ACTIVATIONS: &'static [Activation] = &[];
    const RECURRENT: bool = false;

    // gamma, beta and epsilon, `f32` in a file of binary16 weights too.
    fn weights(r: &LayerRecord) -> Option<usize> {
        words(r, 1)?.checked_mul(size_of::<f32>() / size_of::<N::Weight>())
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(r.units())
    }

    // Each operation is rounded by itself: the same bits on every target.
    #[inline(always)]
    fn forward<'a, S: Isa, const F: u32>(
        _isa: S,
        step: Step<'a, N>,
        memory: &'a mut [f32],
    ) -> Option<&'a [f32]> {
        let Step { x, record, weights, .. } = step;
        let weights: &[f32] = bytemuck::try_cast_slice(weights).ok()?;
        let units = record.units();
        let (x, (gamma, rest)) = (x.get(..units)?, weights.split_at_checked(units)?);
        let (&epsilon, beta) = rest.split_last()?;
        let share = 1.0 / units as f32;
        let mean = x.iter().fold(0.0, |sum, &x| sum + x) * share;
        let variance = x.iter().fold(0.0, |sum, &x| sum + (x - mean) * (x - mean)) * share;
        let deviation = libm::sqrtf(variance + epsilon);
        for (((y, &x), &gamma), &beta) in memory.iter_mut().zip(x).zip(gamma).zip(beta) {
            *y = (x - mean) / deviation * gamma + beta;
        }
        Some(memory)
    }
}

impl Layer<I8> for LayerNormalization {
    const ACTIVATIONS: &'static [Activation] = &[];
    const RECURRENT: bool = false;

    // Multipliers, offsets, and epsilon as 64 bits, low word first.
    fn weights(r: &LayerRecord) -> Option<usize> {
        words(r, 2)
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(quads(r.units()) / 2)
    }

    #[inline(always)]
    fn forward<'a, S: Isa, const F: u32>(
        _isa: S,
        step: Step<'a, I8>,
        memory: &'a mut [i32],
    ) -> Option<&'a [i16]> {
        let Step { x, record, weights, .. } = step;
        let acts: &mut [i16] = bytemuck::try_cast_slice_mut(memory).ok()?;
        let units = record.units();
        let (x, (multipliers, rest)) = (x.get(..units)?, weights.split_at_checked(units)?);
        let (offsets, &[low, high]) = rest.split_last_chunk::<2>()?;
        let epsilon = u64::from(high as u32) << 32 | u64::from(low as u32);
        let (mean, deviation, shift) = measure(x, epsilon)?;
        for (((act, &x), &multiplier), &offset) in acts.iter_mut().zip(x).zip(multipliers).zip(offsets) {
            let d = (i64::from(x) << MEAN_FRAC) - mean;
            let nearest = (d << (NORMALIZED_FRAC + shift)) + (deviation >> 1);
            let normalized = nearest.checked_div_euclid(deviation)? as i32;
            *act = linear(mulr(normalized, multiplier).wrapping_add(offset), record.frac);
        }
        Some(acts)
    }
}

/// Returns the mean of `x` with [`MEAN_FRAC`] fraction bits, and the root of variance plus `epsilon` as 32
/// significant bits that are shifted left by the third value.
fn measure(x: &[i16], epsilon: u64) -> Option<(i64, i64, u32)> {
    let count = x.len() as i64;
    let sum = x.iter().fold(0i64, |sum, &x| sum + i64::from(x));
    let mean = ((sum << MEAN_FRAC) + (count >> 1)).checked_div_euclid(count)?;
    let squares = x.iter().fold(0u64, |sum, &x| {
        let d = ((i64::from(x) << MEAN_FRAC) - mean).unsigned_abs();
        sum.wrapping_add(d * d)
    });
    let variance = squares.checked_div(count as u64)?.saturating_add(epsilon).max(1);
    let shift = variance.leading_zeros() / 2;
    Some((mean, (variance << (2 * shift)).isqrt() as i64, shift))
}
