//! Inputs through all layers, for as many time steps as there are.

use super::Model;
use crate::isa::{Isa, Operation};
use crate::layers::{Dispatch, Place, View};
use crate::number::Number;
use crate::state::State;

/// Time steps to be run on whatever instruction set the model has.
struct Forward<'a, 'm, N: Number, const KINDS: u32> {
    model: &'a Model<'m, N, KINDS>,
    memory: &'a mut [N::Word],
    phase: &'a mut bool,
    xs: &'a [N::In],
    out: &'a mut [N::Out],
}

impl<N: Number, const KINDS: u32> Operation for Forward<'_, '_, N, KINDS> {
    type Output = ();

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        let model = self.model;
        let mut steps = self.xs.chunks_exact(model.input_size().max(1)).peekable();
        let mut out = self.out.chunks_exact_mut(model.output_size().max(1));
        while let Some(x) = steps.next() {
            let wanted = model.returns_sequences() || steps.peek().is_none();
            let layers = if wanted { model.layers.len() } else { model.body };
            model.step_layers(isa, layers, x, self.memory, *self.phase);
            *self.phase = !*self.phase;
            if wanted && let Some(out) = out.next() {
                for (out, y) in out.iter_mut().zip(model.answer(self.memory)) {
                    *out = *y;
                }
            }
        }
    }
}

impl<N: Number, const KINDS: u32> Model<'_, N, KINDS> {
    /// Runs the steps of `xs`; the last answer stays in memory, and `out` takes as many answers as it has room for.
    ///
    /// Not inlined, so that it is there once for all that runs steps.
    #[inline(never)]
    pub(super) fn forward(&self, state: &mut State<'_, N>, xs: &[N::In], out: &mut [N::Out]) {
        let State { memory, phase, .. } = state;
        self.backend.run(Forward { model: self, memory, phase, xs, out });
    }

    /// One step of the first `count` layers. `None` cannot happen: `Model::new` has walked the same way.
    #[inline(always)]
    fn step_layers<S: Isa>(
        &self,
        isa: S,
        count: usize,
        x: &[N::In],
        memory: &mut [N::Word],
        phase: bool,
    ) -> Option<()> {
        let mut acts = N::acts(x);
        let (mut weights, mut memory) = (self.weights, memory);
        for (i, record) in self.layers.iter().enumerate().take(count) {
            let (own_weights, other) =
                weights.split_at_checked(record.weights_len as usize / size_of::<N::Weight>())?;
            weights = other;
            let layer = View { record, weights: own_weights };
            let place = Place::of(i, self.layers.len());
            let needed = <N as Dispatch>::memory::<KINDS>(record, place)?;
            let (own, other) = memory.split_at_mut_checked(needed)?;
            memory = other;
            acts = N::step::<S, KINDS>(isa, layer, acts, own, phase, place)?;
        }
        Some(())
    }

    /// The answer of the last step that made one.
    #[inline(always)]
    pub(super) fn answer<'s>(&self, memory: &'s [N::Word]) -> &'s [N::Out] {
        let words = self.layers.last().map_or(0, |record| N::answer::<KINDS>(record));
        let from = memory.len().saturating_sub(words);
        let out = N::outputs(memory.get(from..).unwrap_or_default());
        out.get(..self.output_size()).unwrap_or_default()
    }
}
