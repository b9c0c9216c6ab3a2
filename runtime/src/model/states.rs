//! The states of single layers as real values: initial states of the caller's, and what a layer has come to.

use super::Model;
use super::span::Span;
use crate::error::Error;
use crate::format::LayerRecord;
use crate::layers::Dispatch;
use crate::number::Number;
use crate::state::State;
use core::ops::Range;

/// Where a layer's state lies in memory.
struct Place<'m> {
    record: &'m LayerRecord,
    h: Range<usize>,
    /// Empty in layers that have none.
    c: Range<usize>,
    /// Real value of one unit of c.
    cell_scale: f32,
}

/// These, and zeros for the units that fill up: the same state is saved as the same bytes.
fn filled(values: &[f32]) -> impl Iterator<Item = f32> {
    values.iter().copied().chain(core::iter::repeat(0.0))
}

impl<'m, N: Number, const F: u32> Model<'m, N, F> {
    /// Puts the layer with index `layer` of [`layers`](Self::layers) into a state of the caller's: `h`, and for an LSTM `c`,
    /// `units` values each; `c` is empty for other cells. Integer models take the nearest values that they have.
    ///
    /// # Errors
    /// [`Error::NoState`] if the layer is not recurrent or its states have other sizes, [`Error::ForeignState`].
    pub fn set_layer_state(
        &self,
        state: &mut State<'_, N>,
        layer: usize,
        h: &[f32],
        c: &[f32],
    ) -> Result<(), Error> {
        self.check_owner(state)?;
        let place = self.place(state, layer, h.len(), c.len())?;
        let missing = Error::NoState { layer };
        let scale = place.record.output_scale;
        let acts = N::acts_of_mut(state.memory.get_mut(place.h).ok_or(missing)?);
        for (act, h) in acts.iter_mut().zip(filled(h)) {
            *act = N::act_of_real(h, scale);
        }
        for (word, c) in state.memory.get_mut(place.c).ok_or(missing)?.iter_mut().zip(filled(c)) {
            *word = N::cell_of_real(c, place.cell_scale);
        }
        Ok(())
    }

    /// The state of the layer with index `layer` of [`layers`](Self::layers), in real values: `h`, and for an LSTM `c`, `units`
    /// values each; `c` is empty for other cells.
    ///
    /// # Errors
    /// As [`set_layer_state`](Self::set_layer_state).
    pub fn layer_state(
        &self,
        state: &State<'_, N>,
        layer: usize,
        h: &mut [f32],
        c: &mut [f32],
    ) -> Result<(), Error> {
        self.check_owner(state)?;
        let place = self.place(state, layer, h.len(), c.len())?;
        let missing = Error::NoState { layer };
        let acts = N::acts_of(state.memory.get(place.h).ok_or(missing)?);
        for (h, &act) in h.iter_mut().zip(acts) {
            *h = N::real_of_act(act, place.record.output_scale);
        }
        for (c, &word) in c.iter_mut().zip(state.memory.get(place.c).ok_or(missing)?) {
            *c = N::real_of_cell(word, place.cell_scale);
        }
        Ok(())
    }

    /// Where the states of all layers lie in memory, of which `phases` are those of the next steps.
    pub(crate) fn saved_ranges(&self, phases: [bool; 2]) -> impl Iterator<Item = Range<usize>> {
        let all = Span::<N, F> { records: self.layers, weights: self.weights, ends: true };
        let decoder_at = if self.has_decoder() { self.preamble.decoder_at as usize } else { usize::MAX };
        let (first, decoder) = all.split_at(decoder_at);
        let at = first.words().unwrap_or(0);
        let moved = move |range: Range<usize>| at + range.start..at + range.end;
        first.states(!phases[0]).chain(decoder.states(!phases[1]).map(moved))
    }

    /// Bytes that [`State::save`] needs at most.
    pub fn saved_len(&self) -> usize {
        let words: usize = self.saved_ranges([false; 2]).map(|range| range.len()).sum();
        crate::state::SAVED_OVERHEAD + words * 4
    }

    fn place(&self, state: &State<'_, N>, layer: usize, h: usize, c: usize) -> Result<Place<'m>, Error> {
        let missing = Error::NoState { layer };
        let record = self.layers.get(layer).filter(|r| N::is_recurrent::<F>(r)).ok_or(missing)?;
        let all = Span::<N, F> { records: self.layers, weights: self.weights, ends: true };
        let at = all.split_at(layer).0.words().ok_or(missing)?;
        let in_decoder = self.has_decoder() && layer >= self.preamble.decoder_at as usize;
        let phase = !state.phases[usize::from(in_decoder)];
        let (cell, output) = match <N as Dispatch>::state::<F>(record, phase) {
            [h, none] if none.is_empty() => (none, h),
            [c, h] => (c, h),
        };
        let units = record.units();
        if h != units || c != if cell.is_empty() { 0 } else { units } {
            return Err(missing);
        }
        let moved = |range: Range<usize>| at + range.start..at + range.end;
        let cell_scale = record.output_scale / (1u64 << (record.cell_frac.saturating_sub(15) & 31)) as f32;
        Ok(Place { record, h: moved(output), c: moved(cell), cell_scale })
    }
}
