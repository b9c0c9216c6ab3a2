//! How much memory a model's layers need.

use super::span::Span;
use crate::format::LayerRecord;
use crate::number::Number;

/// Words of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Of all layers.
    pub layers: usize,
    /// Of the last output of the last recurrent layer, in models that need whole sequences.
    pub frame: usize,
    /// Of a time step in each of the two buffers, in models that need whole sequences: outputs of the recurrent layers go
    /// into one and the other in turn.
    pub buffers: [usize; 2],
}

impl Sizes {
    /// Of these layers, of which those from `decoder_at` on are a decoder (none of them if it is 0); `None` if they are too
    /// large to count.
    pub fn of<N: Number, const F: u32>(records: &[LayerRecord], decoder_at: usize) -> Option<Self> {
        let (first, decoder) = records.split_at_checked(decoder_at)?;
        let first = if decoder_at == 0 { decoder } else { first };
        let words = |records, ends| Span::<N, F> { records, weights: &[], ends }.words();
        let own = words(first, decoder_at == 0)?;
        let of_decoder = if decoder_at == 0 { 0 } else { words(decoder, true)? };
        let mut sizes = Sizes { layers: own.checked_add(of_decoder)?, frame: 0, buffers: [0; 2] };
        if first.iter().any(LayerRecord::go_backwards) {
            for (number, group) in Groups::<N, F>::new(first).enumerate() {
                let words = N::frame_words(group.width(first));
                let slot = if group.cell(first).is_some_and(LayerRecord::return_sequences) {
                    sizes.buffers.get_mut(number % 2)?
                } else {
                    &mut sizes.frame
                };
                *slot = words.max(*slot);
            }
        }
        Some(sizes)
    }

    /// Bytes of a state, without its sequences.
    pub fn ram(&self) -> Option<usize> {
        self.layers.checked_add(self.frame)?.checked_mul(4)
    }

    /// Bytes for each time step.
    pub fn ram_a_step(&self) -> Option<usize> {
        let [even, odd] = self.buffers;
        even.checked_add(odd)?.checked_mul(4)
    }
}

/// A recurrent layer, or the two directions of a Bidirectional, with the layers without state before it.
#[derive(Clone, Copy)]
pub struct Group {
    /// Index of the first layer.
    pub from: usize,
    /// Index of the recurrent layer, the forward one of two directions.
    pub cell: usize,
    /// Whether the next layer is its backward twin.
    pub pair: bool,
}

impl Group {
    pub fn cell<'m>(&self, records: &'m [LayerRecord]) -> Option<&'m LayerRecord> {
        records.get(self.cell)
    }

    /// Values that come out a time step, those of two directions one after the other.
    pub fn width(&self, records: &[LayerRecord]) -> usize {
        let units = self.cell(records).map_or(0, LayerRecord::units);
        if self.pair { units.saturating_mul(2) } else { units }
    }
}

/// The groups of layers, first to last.
pub struct Groups<'m, N: Number, const F: u32> {
    records: &'m [LayerRecord],
    at: usize,
    number: core::marker::PhantomData<N>,
}

impl<'m, N: Number, const F: u32> Groups<'m, N, F> {
    pub fn new(records: &'m [LayerRecord]) -> Self {
        Self { records, at: 0, number: core::marker::PhantomData }
    }

    /// Index of the first layer behind those groups that have been given.
    pub fn rest(&self) -> usize {
        self.at
    }
}

impl<N: Number, const F: u32> Iterator for Groups<'_, N, F> {
    type Item = Group;

    fn next(&mut self) -> Option<Group> {
        let left = self.records.get(self.at..)?;
        let count = left.iter().position(|record| N::is_recurrent::<F>(record))?;
        let cell = self.at + count;
        let pair = self.records.get(cell)?.is_direction();
        let group = Group { from: self.at, cell, pair };
        self.at = cell + 1 + usize::from(pair);
        Some(group)
    }
}
