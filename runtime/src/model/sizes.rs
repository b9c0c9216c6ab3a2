//! The memory of a state: how many words the layers of a model take, and the buffers between them.
//!
//! # The layout
//!
//! A state is one slice of words, in the order of the layers, with the decoder's behind the encoder's:
//!
//! ```text
//! | Normalization | Lstm                     | Dense           | frame | even buffer | odd buffer |
//! | y             | c | h, one | h, the other | model's output  | sequence.rs explains these      |
//! ```
//!
//! Every layer writes its output into memory of its own and the next one reads it there, so there is no plan
//! of lifetimes to solve: a state consists of what recurrence has to keep anyway, and the outputs in between
//! are small beside it. A recurrent layer has two buffers of h and changes their roles at each step
//! (`phase`), as all of the old h is read while the new one is written. The last layer's memory ends in the
//! model's output; in integer models that is wider than an activation.
//!
//! Offsets are not stored: walking the layers computes them again at each step from the sizes in the records.
//! That takes a few instructions per layer and no table, in RAM or in the file, that could disagree with the
//! records.

use super::span::Span;
use crate::format::LayerRecord;
use crate::format::feature_bits::{DECODER, WHOLE_SEQUENCES};
use crate::number::Number;

/// The words of memory that a model's state takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Words of all layers.
    pub layers: usize,
    /// Words of the frame of the recurrent layer that returns its last output only, in models that need whole
    /// sequences.
    pub frame: usize,
    /// Words per time step of each of the two buffers, in models that need whole sequences: the recurrent
    /// layers write into one and the other in turn.
    pub buffers: [usize; 2],
}

impl Sizes {
    /// Computes the sizes of these layers, of which those from `decoder_at` on are a decoder unless it is 0;
    /// `None` if they are too large to count.
    pub fn of<N: Number, const F: u32>(records: &[LayerRecord], decoder_at: usize) -> Option<Self> {
        let words = |records, ends| Span::<N, F> { records, weights: &[], ends }.words();
        let (first, layers) = if F & DECODER == 0 || decoder_at == 0 {
            (records, words(records, true)?)
        } else {
            let (first, decoder) = records.split_at_checked(decoder_at)?;
            (first, words(first, false)?.checked_add(words(decoder, true)?)?)
        };
        let mut sizes = Sizes { layers, frame: 0, buffers: [0; 2] };
        if F & WHOLE_SEQUENCES != 0 && first.iter().any(LayerRecord::go_backwards) {
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

    /// Returns the bytes of a state without its buffers for sequences.
    pub fn ram(&self) -> Option<usize> {
        self.layers.checked_add(self.frame)?.checked_mul(4)
    }

    /// Returns the bytes that every time step of a sequence adds.
    pub fn ram_per_step(&self) -> Option<usize> {
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
    /// `true` if the next layer is its backward twin.
    pub pair: bool,
}

impl Group {
    /// Returns the record of the recurrent layer.
    pub fn cell<'m>(&self, records: &'m [LayerRecord]) -> Option<&'m LayerRecord> {
        records.get(self.cell)
    }

    /// Returns the values of a frame: the units, those of two directions one after the other.
    pub fn width(&self, records: &[LayerRecord]) -> usize {
        let units = self.cell(records).map_or(0, LayerRecord::units);
        if self.pair { units.saturating_mul(2) } else { units }
    }
}

/// An iterator over the groups of layers, first to last.
pub struct Groups<'m, N: Number, const F: u32> {
    records: &'m [LayerRecord],
    at: usize,
    number: core::marker::PhantomData<N>,
}

impl<'m, N: Number, const F: u32> Groups<'m, N, F> {
    /// Starts at the first layer.
    pub fn new(records: &'m [LayerRecord]) -> Self {
        Self { records, at: 0, number: core::marker::PhantomData }
    }

    /// Returns the index of the first layer behind the groups that were returned.
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
