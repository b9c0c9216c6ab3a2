//! Layers that follow each other: what a step goes through.

use crate::format::LayerRecord;
use crate::isa::Backend;
use crate::layers::{Dispatch, Place, Step, View, step_layer};
use crate::number::Number;
use core::ops::Range;

/// Layers in a row with their weights; `F` is the set of features that this build has.
#[derive(Clone, Copy)]
pub struct Span<'m, N: Number, const F: u32> {
    pub records: &'m [LayerRecord],
    pub weights: &'m [N::Weight],
    /// Whether the last of them is the model's last.
    pub ends: bool,
}

impl<'m, N: Number, const F: u32> Span<'m, N, F> {
    #[inline(always)]
    fn place(&self, index: usize) -> Place {
        if self.ends { Place::of(index, self.records.len()) } else { Place::Inner }
    }

    /// The first `count` layers, and the others.
    #[inline(always)]
    pub fn split_at(self, count: usize) -> (Self, Self) {
        let (first, others) = self.records.split_at_checked(count).unwrap_or((self.records, &[]));
        let weights: usize =
            first.iter().map(|record| record.weights_len as usize / size_of::<N::Weight>()).sum();
        let (own, rest) = self.weights.split_at_checked(weights).unwrap_or_default();
        let ends = self.ends && others.is_empty();
        (Span { records: first, weights: own, ends }, Span { records: others, weights: rest, ..self })
    }

    /// Words of memory of all of them; `None` if they are too large to count.
    pub fn words(&self) -> Option<usize> {
        let words = |(i, record)| <N as Dispatch>::memory::<F>(record, self.place(i));
        self.records.iter().enumerate().map(words).try_fold(0usize, |sum, words| sum.checked_add(words?))
    }

    /// The layers that carry a state: where their memory begins, and their records.
    pub fn recurrent(self) -> impl Iterator<Item = (usize, &'m LayerRecord)> {
        let mut at = 0usize;
        self.records
            .iter()
            .map(move |record| {
                let start = at;
                let words = <N as Dispatch>::memory::<F>(record, Place::Inner).unwrap_or(0);
                at = at.saturating_add(words);
                (start, record)
            })
            .filter(|(_, record)| N::is_recurrent::<F>(record))
    }

    /// Where the states lie in memory, after a step in `phase`; each layer's in the order of [`Layer::state`].
    ///
    /// [`Layer::state`]: crate::layers::Layer::state
    pub fn states(self, phase: bool) -> impl Iterator<Item = Range<usize>> {
        self.recurrent().flat_map(move |(at, record)| {
            let [a, b] = N::state::<F>(record, phase);
            [at + a.start..at + a.end, at + b.start..at + b.end]
        })
    }

    /// One time step from `acts` on, all layers but that with index `skip`. `None` cannot happen: `Model::new` has walked
    /// the same way.
    #[inline(always)]
    pub fn step<'s>(
        self,
        backend: Backend,
        mut acts: &'s [N::Act],
        mut memory: &'s mut [N::Word],
        phase: bool,
        skip: Option<usize>,
    ) -> Option<&'s [N::Act]>
    where
        'm: 's,
    {
        let mut weights = self.weights;
        for (i, record) in self.records.iter().enumerate() {
            let (own_weights, other) =
                weights.split_at_checked(record.weights_len as usize / size_of::<N::Weight>())?;
            weights = other;
            let place = self.place(i);
            let (own, other) = memory.split_at_mut_checked(<N as Dispatch>::memory::<F>(record, place)?)?;
            memory = other;
            if skip == Some(i) {
                continue;
            }
            let layer = View { record, weights: own_weights };
            acts = step_layer::<N, F>(backend, Step { layer, x: acts, memory: own, phase, place })?;
        }
        Some(acts)
    }
}
