//! Says that a time step all of whose features have one value is none: it leaves every state as it is.
//!
//! In an integer model the value is looked for where real inputs become integers, and a step that is none is one of
//! -32,768 only, which no real input gives.

use super::normalization::Normalization;
use super::{Layer, View};
use crate::format::{Activation, LayerRecord, MASKS};
use crate::isa::Isa;
use crate::number::{FloatNumber, I8};

pub struct Masking;

/// The value, one `f32` in every kind of numbers.
fn words(r: &LayerRecord) -> Option<usize> {
    (r.units == r.input_size && r.masks()).then_some(1)
}

/// The value that stands for no time step.
pub fn mask_value<W: bytemuck::Pod>(weights: &[W]) -> Option<f32> {
    bytemuck::try_cast_slice(weights).ok()?.first().copied()
}

impl<N: FloatNumber> Layer<N> for Masking {
    const ACTIVATIONS: &'static [Activation] = &[];
    const FLAGS: u8 = MASKS;

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
        _layer: View<'a, N>,
        x: &[f32],
        memory: &'a mut [f32],
        _phase: bool,
    ) -> Option<&'a [f32]> {
        for (y, &x) in memory.iter_mut().zip(x) {
            *y = x;
        }
        Some(memory)
    }
}

impl Layer<I8> for Masking {
    const ACTIVATIONS: &'static [Activation] = &[];
    const FLAGS: u8 = MASKS;

    fn weights(r: &LayerRecord) -> Option<usize> {
        words(r)
    }

    /// Its one word of weights does not bound its units.
    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(r.units().checked_next_multiple_of(4)? / 2)
    }

    #[inline(always)]
    fn step<'a, S: Isa, const F: u32>(
        isa: S,
        layer: View<'a, I8>,
        x: &[i16],
        memory: &'a mut [i32],
        phase: bool,
    ) -> Option<&'a [i16]> {
        <Normalization as Layer<I8>>::step::<S, F>(isa, layer, x, memory, phase)
    }
}
