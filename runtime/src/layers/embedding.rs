//! A row of weights for each id: `y = W[id]`. It stands first; the model checks ids before a step.

use super::{Layer, View, quads};
use crate::format::{Activation, LayerRecord, MASKS};
use crate::isa::{FloatWeight, Isa};
use crate::number::{FloatNumber, I8, Number};

pub struct Embedding;

/// The most ids of an integer model, whose inputs have 16 bits.
const MOST_IDS: u32 = 1 << 16;

/// Weights of all rows of `row` weights each.
fn rows(r: &LayerRecord, row: usize) -> Option<usize> {
    if r.input_size != 1 || r.input_dim == 0 {
        return None;
    }
    (r.input_dim as usize).checked_mul(row)
}

impl<N: FloatNumber> Layer<N> for Embedding {
    const ACTIVATIONS: &'static [Activation] = &[];
    const FLAGS: u8 = MASKS;

    fn fields_fit(r: &LayerRecord) -> bool {
        r.merge_mode == 0
    }

    /// Row by row without gaps; filled up to whole words.
    fn weights(r: &LayerRecord) -> Option<usize> {
        rows(r, r.units())?.checked_next_multiple_of(size_of::<f32>() / size_of::<N::Weight>())
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
        let units = layer.record.units();
        let from = N::id(*x.first()?)?.checked_mul(units)?;
        let row = layer.weights.get(from..from.checked_add(units)?)?;
        for (y, w) in memory.iter_mut().zip(row) {
            *y = w.to_f32();
        }
        Some(memory)
    }
}

/// Words of a row: its multiplier, then four weights to a word.
fn row_words(r: &LayerRecord) -> usize {
    1 + r.units().div_ceil(4)
}

impl Layer<I8> for Embedding {
    const ACTIVATIONS: &'static [Activation] = &[];
    const FLAGS: u8 = MASKS;

    fn fields_fit(r: &LayerRecord) -> bool {
        r.merge_mode == 0 && r.input_dim <= MOST_IDS
    }

    fn weights(r: &LayerRecord) -> Option<usize> {
        rows(r, row_words(r))
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(quads(r.units()) / 2)
    }

    /// `(w * multiplier + 2^5) >> 6`, saturated.
    #[inline(always)]
    fn step<'a, S: Isa, const F: u32>(
        _isa: S,
        layer: View<'a, I8>,
        x: &[i16],
        memory: &'a mut [i32],
        _phase: bool,
    ) -> Option<&'a [i16]> {
        let words = row_words(layer.record);
        let from = I8::id(*x.first()?)?.checked_mul(words)?;
        let (&multiplier, weights) = layer.weights.get(from..from.checked_add(words)?)?.split_first()?;
        let acts: &mut [i16] = bytemuck::try_cast_slice_mut(memory).ok()?;
        let bytes = weights.iter().flat_map(|word| word.to_le_bytes());
        for (act, w) in acts.iter_mut().take(layer.record.units()).zip(bytes) {
            let scaled = i32::from(w as i8).wrapping_mul(multiplier).wrapping_add(1 << 5) >> 6;
            *act = scaled.clamp(-(i16::MAX as i32), i16::MAX as i32) as i16;
        }
        Some(acts)
    }
}
