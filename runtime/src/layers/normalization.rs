//! `y = x * scale + offset`, feature by feature.
//!
//! In an integer model it stands first and is what turns real inputs into the integers that a step takes
//! ([`quantize`]); the step itself only moves them into place.

use super::{Layer, View, quads};
use crate::format::{Activation, LayerRecord};
use crate::isa::Isa;
use crate::number::{FloatNumber, I8};

pub struct Normalization;

/// Scales, then offsets.
fn words(r: &LayerRecord) -> Option<usize> {
    if r.units != r.input_size {
        return None;
    }
    r.units().checked_mul(2)
}

/// `scale` and `offset` of each feature.
fn scales_and_offsets(weights: &[f32]) -> impl Iterator<Item = (&f32, &f32)> {
    let (scales, offsets) = weights.split_at_checked(weights.len() / 2).unwrap_or_default();
    scales.iter().zip(offsets)
}

impl<N: FloatNumber> Layer<N> for Normalization {
    const ACTIVATIONS: &'static [Activation] = &[];

    fn weights(r: &LayerRecord) -> Option<usize> {
        words(r)?.checked_mul(size_of::<f32>() / size_of::<N::Weight>())
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(r.units())
    }

    #[inline(always)]
    fn step<'a, S: Isa, const F: u32>(
        _isa: S,
        layer: View<'a, N>,
        x: &[f32],
        memory: &'a mut [f32],
        _phase: bool,
    ) -> Option<&'a [f32]> {
        let weights = bytemuck::try_cast_slice(layer.weights).ok()?; // f32 among half floats too
        for ((y, &x), (&scale, &offset)) in memory.iter_mut().zip(x).zip(scales_and_offsets(weights)) {
            *y = x * scale + offset;
        }
        Some(memory)
    }
}

impl Layer<I8> for Normalization {
    const ACTIVATIONS: &'static [Activation] = &[];

    fn weights(r: &LayerRecord) -> Option<usize> {
        words(r)
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(quads(r.units()) / 2)
    }

    #[inline(always)]
    fn step<'a, S: Isa, const F: u32>(
        _isa: S,
        layer: View<'a, I8>,
        x: &[i16],
        memory: &'a mut [i32],
        _phase: bool,
    ) -> Option<&'a [i16]> {
        let acts: &mut [i16] = bytemuck::try_cast_slice_mut(memory).ok()?;
        for (act, &x) in acts.iter_mut().zip(x.get(..layer.record.units())?) {
            *act = x;
        }
        Some(acts)
    }
}

/// `round(x * scale + offset)`, halves away from zero, saturating at +-32,767; NaN gives 0.
pub fn quantize(weights: &[i32], x: &[f32], out: &mut [i16]) {
    let weights = bytemuck::try_cast_slice(weights).unwrap_or_default();
    for ((out, &x), (&scale, &offset)) in out.iter_mut().zip(x).zip(scales_and_offsets(weights)) {
        *out = to_nearest(x * scale + offset).clamp(-(i16::MAX as i32), i16::MAX as i32) as i16;
    }
}

/// To the nearest, halves away from zero, saturating; NaN gives 0.
pub fn to_nearest(v: f32) -> i32 {
    (if v < 0.0 { v - 0.5 } else { v + 0.5 }) as i32
}
