//! `y = x * scale + offset` per feature.
//!
//! In an integer model it stands first and converts real inputs to the integers of a step ([`quantize`]); the
//! step itself copies them, saturated to the fraction bits that the sums of the next layer have room for.

use super::Layer;
use crate::format::{Activation, LayerRecord, MAX_INPUT_FRAC};
use crate::isa::Isa;
use crate::number::{FloatNumber, I8, Step, quads, to_nearest};

pub struct Normalization;

/// Returns the number of scales and offsets.
fn words(r: &LayerRecord) -> Option<usize> {
    if r.units != r.input_size {
        return None;
    }
    r.units().checked_mul(2)
}

/// Returns `scale` and `offset` of each feature.
fn scales_and_offsets(weights: &[f32]) -> impl Iterator<Item = (&f32, &f32)> {
    let (scales, offsets) = weights.split_at_checked(weights.len() / 2).unwrap_or_default();
    scales.iter().zip(offsets)
}

impl<N: FloatNumber> Layer<N> for Normalization {
    const ACTIVATIONS: &'static [Activation] = &[];
    const RECURRENT: bool = false;

    fn weights(r: &LayerRecord) -> Option<usize> {
        words(r)?.checked_mul(size_of::<f32>() / size_of::<N::Weight>())
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(r.units())
    }

    #[inline(always)]
    fn forward<'a, S: Isa, const F: u32>(
        _isa: S,
        step: Step<'a, N>,
        memory: &'a mut [f32],
    ) -> Option<&'a [f32]> {
        let Step { x, weights, .. } = step;
        let weights = bytemuck::try_cast_slice(weights).ok()?; // `f32` in a file of binary16 weights too
        for ((y, &x), (&scale, &offset)) in memory.iter_mut().zip(x).zip(scales_and_offsets(weights)) {
            *y = x * scale + offset;
        }
        Some(memory)
    }
}

impl Layer<I8> for Normalization {
    const ACTIVATIONS: &'static [Activation] = &[];
    const RECURRENT: bool = false;
    const MAX_FRAC: u32 = MAX_INPUT_FRAC;

    fn weights(r: &LayerRecord) -> Option<usize> {
        words(r)
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(quads(r.units()) / 2)
    }

    #[inline(always)]
    fn forward<'a, S: Isa, const F: u32>(
        isa: S,
        step: Step<'a, I8>,
        memory: &'a mut [i32],
    ) -> Option<&'a [i16]> {
        let Step { x, record, .. } = step;
        let acts: &mut [i16] = bytemuck::try_cast_slice_mut(memory).ok()?;
        isa.saturate(x.get(..record.units())?, record.frac.into(), acts);
        Some(acts)
    }
}

/// Computes `round(x * scale + offset)`, halves away from zero, saturating at +-32,767; NaN becomes 0.
pub fn quantize(weights: &[i32], x: &[f32], out: &mut [i16]) {
    let weights = bytemuck::try_cast_slice(weights);
    debug_assert!(weights.is_ok(), "words are aligned for f32");
    for ((out, &x), (&scale, &offset)) in
        out.iter_mut().zip(x).zip(scales_and_offsets(weights.unwrap_or_default()))
    {
        *out = to_nearest(x * scale + offset).clamp(-(i16::MAX as i32), i16::MAX as i32) as i16;
    }
}
