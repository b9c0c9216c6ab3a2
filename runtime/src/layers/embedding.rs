//! One row of weights per id: `y = W[id]`. It stands first in its chain; the model checks ids before a step.

use super::Layer;
use crate::format::{
    Activation, EMBEDDING_FRAC, LayerRecord, MASKS, MAX_IDS, MAX_INPUT_FRAC, WEIGHTS_PER_WORD,
};
use crate::isa::{FloatWeight, Isa, shr_round};
use crate::number::{FloatNumber, I8, Number, Step, quads};

pub struct Embedding;

/// Returns the weights of all rows, each of `row` weights.
fn rows(r: &LayerRecord, row: usize) -> Option<usize> {
    if r.input_size != 1 || r.input_dim == 0 {
        return None;
    }
    (r.input_dim as usize).checked_mul(row)
}

impl<N: FloatNumber> Layer<N> for Embedding {
    const ACTIVATIONS: &'static [Activation] = &[];
    const RECURRENT: bool = false;
    const FLAGS: u8 = MASKS;

    fn fields_fit(r: &LayerRecord) -> bool {
        r.merge_mode == 0
    }

    // Row by row without gaps; filled up to whole words.
    fn weights(r: &LayerRecord) -> Option<usize> {
        rows(r, r.units())?.checked_next_multiple_of(size_of::<f32>() / size_of::<N::Weight>())
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
        let Step { x, record, weights, .. } = step;
        let units = record.units();
        let from = N::id(*x.first()?)?.checked_mul(units)?;
        let row = weights.get(from..from.checked_add(units)?)?;
        for (y, w) in memory.iter_mut().zip(row) {
            *y = w.to_f32();
        }
        Some(memory)
    }
}

/// Returns the words of a row: its multiplier, then four weights to a word.
fn row_words(r: &LayerRecord) -> usize {
    1 + r.units().div_ceil(WEIGHTS_PER_WORD)
}

impl Layer<I8> for Embedding {
    const ACTIVATIONS: &'static [Activation] = &[];
    const RECURRENT: bool = false;
    const FLAGS: u8 = MASKS;

    fn fields_fit(r: &LayerRecord) -> bool {
        r.merge_mode == 0 && r.input_dim <= MAX_IDS
    }

    fn weights(r: &LayerRecord) -> Option<usize> {
        rows(r, row_words(r))
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        Some(quads(r.units()) / 2)
    }

    // `shr_round(w * multiplier, 21 - frac)`, saturated.
    #[inline(always)]
    fn forward<'a, S: Isa, const F: u32>(
        _isa: S,
        step: Step<'a, I8>,
        memory: &'a mut [i32],
    ) -> Option<&'a [i16]> {
        let Step { x, record, weights, .. } = step;
        let by = (EMBEDDING_FRAC + MAX_INPUT_FRAC).wrapping_sub(record.frac.into());
        let end = 1i32.wrapping_shl(record.frac.into());
        let words = row_words(record);
        let from = I8::id(*x.first()?)?.checked_mul(words)?;
        let (&multiplier, weights) = weights.get(from..from.checked_add(words)?)?.split_first()?;
        let acts: &mut [i16] = bytemuck::try_cast_slice_mut(memory).ok()?;
        let bytes = weights.iter().flat_map(|word| word.to_le_bytes());
        for (act, w) in acts.iter_mut().take(record.units()).zip(bytes) {
            let scaled = shr_round(i32::from(w as i8).wrapping_mul(multiplier), by);
            *act = scaled.max(end.wrapping_neg()).min(end) as i16;
        }
        Some(acts)
    }
}
