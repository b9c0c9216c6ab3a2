//! Masks the time steps whose features all have one value: a masked time step leaves every state as it is.
//!
//! In an integer model the value is recognized where real inputs become integers, and a masked time step
//! consists of -32,768 only, which no real input becomes.

use super::Layer;
use super::normalization::Normalization;
use crate::format::{Activation, LayerRecord, MASKS, MAX_INPUT_FRAC};
use crate::isa::Isa;
use crate::number::{FloatNumber, I8, Step};

pub struct Masking;

/// Returns the words of the value, one `f32` in every dtype.
fn words(r: &LayerRecord) -> Option<usize> {
    (r.units == r.input_size && r.masks()).then_some(1)
}

/// Returns the value that masks, given the layer's weights.
pub fn mask_value<W: bytemuck::Pod>(weights: &[W]) -> Option<f32> {
    bytemuck::try_cast_slice(weights).ok()?.first().copied()
}

impl<N: FloatNumber> Layer<N> for Masking {
    const ACTIVATIONS: &'static [Activation] = &[];
    const RECURRENT: bool = false;
    const FLAGS: u8 = MASKS;

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
        for (y, &x) in memory.iter_mut().zip(step.x) {
            *y = x;
        }
        Some(memory)
    }
}

impl Layer<I8> for Masking {
    const ACTIVATIONS: &'static [Activation] = &[];
    const RECURRENT: bool = false;
    const MAX_FRAC: u32 = MAX_INPUT_FRAC;
    const FLAGS: u8 = MASKS;

    fn weights(r: &LayerRecord) -> Option<usize> {
        words(r)
    }

    // The sum is checked: one word of weights does not bound the units.
    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(r.units().checked_next_multiple_of(4)? / 2)
    }

    #[inline(always)]
    fn forward<'a, S: Isa, const F: u32>(
        isa: S,
        step: Step<'a, I8>,
        memory: &'a mut [i32],
    ) -> Option<&'a [i16]> {
        <Normalization as Layer<I8>>::forward::<S, F>(isa, step, memory)
    }
}
