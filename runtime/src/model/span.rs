//! Layers that follow each other: the way of a time step.

use crate::format::LayerRecord;
use crate::isa::Backend;
use crate::number::{Dispatch, Number, Position, Steps};
use core::ops::Range;

/// Consecutive layers with their weights; `F` is the set of features that the build contains.
#[derive(Clone, Copy)]
pub struct Span<'m, N: Number, const F: u32> {
    pub records: &'m [LayerRecord],
    pub weights: &'m [N::Weight],
    /// `true` if the last of them is the model's last.
    pub ends: bool,
}

impl<'m, N: Number, const F: u32> Span<'m, N, F> {
    #[inline(always)]
    fn position(&self, index: usize) -> Position {
        if self.ends { Position::of(index, self.records.len()) } else { Position::Inner }
    }

    /// Splits off the first `count` layers.
    #[inline(always)]
    pub fn split_at(self, count: usize) -> (Self, Self) {
        let (first, others) = self.records.split_at_checked(count).unwrap_or((self.records, &[]));
        let weights: usize =
            first.iter().map(|record| record.weights_len as usize / size_of::<N::Weight>()).sum();
        let (own, rest) = self.weights.split_at_checked(weights).unwrap_or_default();
        let ends = self.ends && others.is_empty();
        (Span { records: first, weights: own, ends }, Span { records: others, weights: rest, ..self })
    }

    /// Returns the words of memory of all layers; `None` if they are too many to count.
    pub fn words(&self) -> Option<usize> {
        let words = |(i, record)| <N as Dispatch>::memory::<F>(record, self.position(i));
        self.records.iter().enumerate().map(words).try_fold(0usize, |sum, words| sum.checked_add(words?))
    }

    /// Returns the layers that carry a state, each with the index of its first word of memory.
    pub fn recurrent(self) -> impl Iterator<Item = (usize, &'m LayerRecord)> {
        let mut at = 0usize;
        self.records
            .iter()
            .map(move |record| {
                let start = at;
                let words = <N as Dispatch>::memory::<F>(record, Position::Inner).unwrap_or(0);
                at = at.saturating_add(words);
                (start, record)
            })
            .filter(|(_, record)| N::is_recurrent::<F>(record))
    }

    /// Returns where the states lie in memory after a step in `phase`; each layer's in the order in which it
    /// is saved.
    pub fn states(self, phase: bool) -> impl Iterator<Item = Range<usize>> {
        self.recurrent().flat_map(move |(at, record)| {
            let [a, b] = N::state::<F>(record, phase);
            [at + a.start..at + a.end, at + b.start..at + b.end]
        })
    }

    /// Returns the initial state of each layer that carries one, in the order in which it is saved; empty for
    /// zeros.
    pub fn initial_states(self) -> impl Iterator<Item = [&'m [N::Word]; 2]> + Clone {
        let mut weights = self.weights;
        self.records.iter().filter_map(move |record| {
            let own = record.weights_len as usize / size_of::<N::Weight>();
            let (own, rest) = weights.split_at_checked(own).unwrap_or_default();
            weights = rest;
            N::is_recurrent::<F>(record).then(|| {
                let read = own.len().saturating_sub(N::initial_weights::<F>(record));
                let words = bytemuck::try_cast_slice(own.get(read..).unwrap_or_default());
                debug_assert!(words.is_ok(), "the weights of a layer are whole words");
                let [first, _] = N::state::<F>(record, false);
                let words = words.unwrap_or_default().split_at_checked(first.len());
                words.map_or_else(Default::default, |(first, second)| [first, second])
            })
        })
    }

    /// Runs one time step from `acts` on, through all layers but the one with index `skip`, and returns the
    /// output. `None` cannot happen: `Model::new` has walked the same way.
    #[inline(always)]
    pub fn step<'s>(
        self,
        backend: Backend,
        acts: &'s [N::Act],
        memory: &'s mut [N::Word],
        phase: bool,
        skip: Option<usize>,
    ) -> Option<&'s [N::Act]>
    where
        'm: 's,
    {
        let Span { records, weights, ends } = self;
        N::run_layers::<F>(backend, Steps { records, weights, x: acts, phase, ends, skip }, memory)
    }
}
