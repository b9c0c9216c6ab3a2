//! The states of single layers as real values: initial states that the caller sets, and the state that a
//! layer has come to.

use super::Model;
use crate::error::Error;
use crate::format::{LANES, LayerRecord, STATE_FRAC};
use crate::layers::Kind;
use crate::number::{Dispatch, Number};
use crate::state::State;
use core::ops::Range;

/// The state of a layer in memory.
struct LayerState<'m> {
    record: &'m LayerRecord,
    h: Range<usize>,
    /// The finer h of an integer layer that has one, else empty.
    fine: Range<usize>,
    /// Empty in layers without a cell state.
    c: Range<usize>,
    /// The indices of what is read as h, and of c, among all state vectors, in the order in which they are
    /// saved.
    indices: [usize; 2],
    /// Real value of one unit of c.
    cell_scale: f32,
    /// Real value of one unit of the finer h.
    fine_scale: f32,
}

/// Returns `values`, then zeros for the units that fill up a panel, so that equal states are saved as equal
/// bytes.
fn filled(values: &[f32]) -> impl Iterator<Item = f32> {
    values.iter().copied().chain(core::iter::repeat(0.0))
}

impl<'m, N: Number, const F: u32> Model<'m, N, F> {
    /// Sets the state of the layer with index `layer` of [`layers`](Self::layers) to real values: `h`, and
    /// for an LSTM `c`, `units` values each; `c` is empty for other cells. An integer model rounds them to
    /// its nearest values.
    ///
    /// ```
    /// # use embedded_rnn::{F32, Model, Ram, include_model, ram_needed};
    /// # static MODEL: &[u8] = include_model!("../../tests/data/tiny.ernn");
    /// # let model = Model::<F32>::new(MODEL)?;
    /// # let mut ram = Ram::<{ ram_needed(MODEL) }>::new();
    /// # let mut state = model.state(&mut ram)?;
    /// model.set_layer_state(&mut state, 0, &[0.1, 0.2, 0.3], &[0.0, 0.5, -0.5])?; // h and c of the LSTM
    /// let (mut h, mut c) = ([0.0; 3], [0.0; 3]);
    /// model.layer_state(&state, 0, &mut h, &mut c)?;
    /// assert_eq!((h, c), ([0.1, 0.2, 0.3], [0.0, 0.5, -0.5]));
    /// # Ok::<(), embedded_rnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoState`] if the layer is not a cell or its states have other sizes,
    /// [`Error::ForeignState`].
    pub fn set_layer_state(
        &self,
        state: &mut State<'_, N>,
        layer: usize,
        h: &[f32],
        c: &[f32],
    ) -> Result<(), Error> {
        self.check_owner(state)?;
        let own = self.state_of(state, layer, h.len(), c.len())?;
        self.start(state);
        let missing = Error::NoState { layer };
        let scale = own.record.output_scale;
        let acts = N::acts_of_mut(state.memory.get_mut(own.h).ok_or(missing)?);
        for (act, h) in acts.iter_mut().zip(filled(h)) {
            *act = N::act_of_real(h, scale, 1i32.wrapping_shl(own.record.frac.into()));
        }
        let fine = N::acts_of_mut(state.memory.get_mut(own.fine).ok_or(missing)?);
        for (fine, h) in fine.iter_mut().zip(filled(h)) {
            *fine = N::act_of_real(h, own.fine_scale, i16::MAX.into());
        }
        for (word, c) in state.memory.get_mut(own.c).ok_or(missing)?.iter_mut().zip(filled(c)) {
            *word = N::cell_of_real(c, own.cell_scale);
        }
        Ok(())
    }

    /// Reads the state of the layer with index `layer` of [`layers`](Self::layers) as real values: `h`, and
    /// for an LSTM `c`, `units` values each; `c` is empty for other cells.
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
        let own = self.state_of(state, layer, h.len(), c.len())?;
        let missing = Error::NoState { layer };
        let (range, scale) =
            if own.fine.is_empty() { (own.h, own.record.output_scale) } else { (own.fine, own.fine_scale) };
        let [h_index, c_index] = own.indices;
        let acts = N::acts_of(self.words_of_state(state, h_index, range).ok_or(missing)?);
        for (h, &act) in h.iter_mut().zip(acts) {
            *h = N::real_of_act(act, scale);
        }
        let words = self.words_of_state(state, c_index, own.c).ok_or(missing)?;
        for (c, &word) in c.iter_mut().zip(words) {
            *c = N::real_of_cell(word, own.cell_scale);
        }
        Ok(())
    }

    /// Returns where the states of all layers lie in memory, given the phases of the next steps.
    pub(crate) fn saved_ranges(&self, phases: [bool; 2]) -> impl Iterator<Item = Range<usize>> {
        let decoder_at = if self.has_decoder() { self.preamble.decoder_at as usize } else { usize::MAX };
        let (first, decoder) = self.all_layers().split_at(decoder_at);
        let at = first.words().unwrap_or(0);
        let moved = move |range: Range<usize>| at + range.start..at + range.end;
        first.states(!phases[0]).chain(decoder.states(!phases[1]).map(moved))
    }

    /// Returns the state of a layer, if it is a cell and has `h` and `c` values.
    fn state_of(
        &self,
        state: &State<'_, N>,
        layer: usize,
        h: usize,
        c: usize,
    ) -> Result<LayerState<'m>, Error> {
        let missing = Error::NoState { layer };
        let is_cell = |r: &&LayerRecord| Kind::from_code(r.kind, F).is_some_and(Kind::is_cell);
        let record = self.layers.get(layer).filter(is_cell).ok_or(missing)?;
        let at = self.all_layers().split_at(layer).0.words().ok_or(missing)?;
        let in_decoder = self.has_decoder() && layer >= self.preamble.decoder_at as usize;
        let phase = !state.phases[usize::from(in_decoder)];
        let (cell, fine, output, order) = match <N as Dispatch>::state::<F>(record, phase) {
            [h, none] if none.is_empty() => (none.clone(), none, h, [0, 1]),
            [c, h] if record.kind == Kind::Lstm as u8 => (c, 0..0, h, [1, 0]),
            [fine, h] => (0..0, fine, h, [0, 1]),
        };
        let before = self.layers.iter().take(layer).filter(|r| N::is_recurrent::<F>(r)).count();
        let units = record.units();
        let width = output.len() * size_of::<N::Word>() / size_of::<N::Act>();
        debug_assert_eq!(width.div_ceil(LANES), units.div_ceil(LANES), "h has one value per unit");
        if h != units || c != if cell.is_empty() { 0 } else { units } {
            return Err(missing);
        }
        let moved = |range: Range<usize>| at + range.start..at + range.end;
        // Of the full scale, 2^frac units.
        let scale =
            |frac: u32| record.output_scale / (1u64 << (frac.saturating_sub(record.frac.into()) & 31)) as f32;
        let (cell_scale, fine_scale) = (scale(record.cell_frac.into()), scale(STATE_FRAC));
        let (h, fine, c) = (moved(output), moved(fine), moved(cell));
        let indices = order.map(|k| 2 * before + k);
        Ok(LayerState { record, h, fine, c, indices, cell_scale, fine_scale })
    }
}
