//! The largest value of every feature over the time steps so far: Keras's GlobalMaxPooling1D, step by step.
//!
//! ```text
//! memory   | 1 after the first time step | maximum per feature |
//! ```

use super::Layer;
use crate::format::{Activation, LayerRecord, MAX_INPUT_FRAC};
use crate::isa::Isa;
use crate::number::{FloatNumber, I8, Step, quads};
use core::ops::Range;

pub struct GlobalMaxPooling1D;

/// Returns 0, as there are no weights, if the output has the features of the input.
fn weights(r: &LayerRecord) -> Option<usize> {
    (r.input_size == r.units).then_some(0)
}

/// Replaces `maximum` by the larger of it and `x`, or by `x` at the `first` time step.
#[inline(always)]
fn raise<T: Copy + PartialOrd>(maximum: &mut [T], x: &[T], first: bool) {
    for (maximum, &x) in maximum.iter_mut().zip(x) {
        *maximum = if first || x > *maximum { x } else { *maximum };
    }
}

impl<N: FloatNumber> Layer<N> for GlobalMaxPooling1D {
    const ACTIVATIONS: &'static [Activation] = &[];
    const RECURRENT: bool = true;
    const FLAGS: u8 = 0;

    fn weights(r: &LayerRecord) -> Option<usize> {
        weights(r)
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        r.units().checked_add(1)
    }

    fn state(r: &LayerRecord, _phase: bool) -> [Range<usize>; 2] {
        [0..1, 1..1 + r.units()]
    }

    #[inline(always)]
    fn forward<'a, S: Isa, const F: u32>(
        _isa: S,
        step: Step<'a, N>,
        memory: &'a mut [f32],
    ) -> Option<&'a [f32]> {
        let (started, maximum) = memory.split_first_mut()?;
        raise(maximum, step.x, *started == 0.0);
        *started = 1.0;
        Some(maximum)
    }
}

impl Layer<I8> for GlobalMaxPooling1D {
    const ACTIVATIONS: &'static [Activation] = &[];
    const RECURRENT: bool = true;
    const FLAGS: u8 = 0;
    // Those of the input.
    const MAX_FRAC: u32 = MAX_INPUT_FRAC;

    fn weights(r: &LayerRecord) -> Option<usize> {
        weights(r)
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        (quads(r.units()) / 2).checked_add(1)
    }

    fn state(r: &LayerRecord, _phase: bool) -> [Range<usize>; 2] {
        [0..1, 1..1 + quads(r.units()) / 2]
    }

    #[inline(always)]
    fn forward<'a, S: Isa, const F: u32>(
        _isa: S,
        step: Step<'a, I8>,
        memory: &'a mut [i32],
    ) -> Option<&'a [i16]> {
        let Step { x, record, .. } = step;
        let (started, words) = memory.split_first_mut()?;
        let acts: &mut [i16] = bytemuck::try_cast_slice_mut(words).ok()?;
        raise(acts.get_mut(..record.units())?, x, *started == 0);
        *started = 1;
        Some(acts)
    }
}
