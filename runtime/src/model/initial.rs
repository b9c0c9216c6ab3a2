//! Initial states other than zeros: each lies behind the weights of its layer, in the form that it has in
//! memory.
//!
//! A reset cannot copy them, as a state does not have its model. So it marks the state, and the first step
//! copies them; whatever reads a state before that reads them from the weights. A build whose models start
//! from zeros contains nothing of it.

use super::Model;
use crate::format::feature_bits::INITIAL_STATES;
use crate::number::Number;
use crate::state::State;
use core::ops::Range;

impl<'m, N: Number, const F: u32> Model<'m, N, F> {
    /// Copies the initial states to memory if the sequence has not started.
    #[inline(always)]
    pub(super) fn start(&self, state: &mut State<'_, N>) {
        if F & INITIAL_STATES != 0 && state.at_start {
            self.copy_initial_states(state);
        }
    }

    #[cold]
    fn copy_initial_states(&self, state: &mut State<'_, N>) {
        state.at_start = false;
        for (range, words) in self.saved_ranges(state.phases).zip(self.initial_states()) {
            let slots = state.memory.get_mut(range);
            debug_assert!(slots.is_some(), "states lie in memory");
            for (slot, &word) in slots.unwrap_or_default().iter_mut().zip(words) {
                *slot = word;
            }
        }
    }

    /// Returns the words of each state vector at the start, in the order of
    /// [`saved_ranges`](Self::saved_ranges); empty for zeros. The states of a decoder are copies of the
    /// encoder's.
    fn initial_states(&self) -> impl Iterator<Item = &'m [N::Word]> {
        self.first_chain().initial_states().flatten().cycle()
    }

    /// Returns the words of the state vector `index` of [`saved_ranges`](Self::saved_ranges): those in
    /// memory, `range`, or before the first step the initial ones.
    pub(super) fn words_of_state<'s>(
        &self,
        state: &'s State<'_, N>,
        index: usize,
        range: Range<usize>,
    ) -> Option<&'s [N::Word]>
    where
        'm: 's,
    {
        if F & INITIAL_STATES != 0
            && state.at_start
            && let Some(words) = self.initial_states().nth(index)
            && !words.is_empty()
        {
            return Some(words);
        }
        state.memory.get(range)
    }
}
