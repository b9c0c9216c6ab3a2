//! Merges the outputs of two directions, f and b, which come one after the other.
//!
//! The two recurrent layers stand before it in the table, each with a record of its own.

use super::Layer;
use crate::format::{Activation, LayerRecord, MergeMode};
use crate::isa::{Isa, shr_round};
use crate::number::{FloatNumber, I8, Step, quads};

pub struct Bidirectional;

/// Returns 0, as there are no weights, if the sizes are those of the mode.
fn weights(r: &LayerRecord) -> Option<usize> {
    let mode = MergeMode::from_code(r.merge_mode)?;
    (r.input_size.is_multiple_of(2) && mode.merged(r.input_size / 2) == r.units).then_some(0)
}

/// Merges value by value, by the function that the record's mode names.
#[inline(always)]
fn merge<T: Copy>(
    r: &LayerRecord,
    x: &[T],
    out: &mut [T],
    [sum, ave, product]: [fn(T, T, u32) -> T; 3],
) -> Option<()> {
    let (f, b) = x.get(..r.input_size())?.split_at_checked(r.input_size() / 2)?;
    let each = |merged: fn(T, T, u32) -> T, out: &mut [T]| {
        for ((out, &f), &b) in out.iter_mut().zip(f).zip(b) {
            *out = merged(f, b, r.frac.into());
        }
    };
    match MergeMode::from_code(r.merge_mode)? {
        MergeMode::Concat => {
            for (out, &x) in out.iter_mut().zip(f.iter().chain(b)) {
                *out = x;
            }
        }
        MergeMode::Sum => each(sum, out),
        MergeMode::Ave => each(ave, out),
        MergeMode::Mul => each(product, out),
    }
    Some(())
}

impl<N: FloatNumber> Layer<N> for Bidirectional {
    const ACTIVATIONS: &'static [Activation] = &[];
    const RECURRENT: bool = false;

    fn fields_fit(r: &LayerRecord) -> bool {
        r.input_dim == 0
    }

    fn weights(r: &LayerRecord) -> Option<usize> {
        weights(r)
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
        let Step { x, record, .. } = step;
        merge(record, x, memory, [|f, b, _| f + b, |f, b, _| (f + b) * 0.5, |f, b, _| f * b])?;
        Some(memory)
    }
}

impl Layer<I8> for Bidirectional {
    const ACTIVATIONS: &'static [Activation] = &[];
    const RECURRENT: bool = false;

    fn fields_fit(r: &LayerRecord) -> bool {
        r.input_dim == 0
    }

    fn weights(r: &LayerRecord) -> Option<usize> {
        weights(r)
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(quads(r.units()) / 2)
    }

    // A sum and a mean are the same integers in different units.
    #[inline(always)]
    fn forward<'a, S: Isa, const F: u32>(
        _isa: S,
        step: Step<'a, I8>,
        memory: &'a mut [i32],
    ) -> Option<&'a [i16]> {
        let Step { x, record, .. } = step;
        let acts: &mut [i16] = bytemuck::try_cast_slice_mut(memory).ok()?;
        let mean = |f: i16, b: i16, _| ((i32::from(f) + i32::from(b) + 1) >> 1) as i16;
        let product = |f: i16, b: i16, frac| shr_round(i32::from(f) * i32::from(b), frac) as i16;
        merge(record, x, acts.get_mut(..record.units())?, [mean, mean, product])?;
        Some(acts)
    }
}
