//! The seam between models and layers: what the table of layers computes for a dtype.
//!
//! The trait is declared here, below the layers, and implemented above, by their table. So layers and models
//! both name a dtype by its type, and neither a dtype nor a layer imports what stands on it.

use super::Number;
use crate::error::LayerFault;
use crate::format::LayerRecord;
use crate::isa::Backend;
use core::ops::Range;

/// The position of a layer in its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// Its output is the next layer's input.
    Inner,
    /// Its output is the model's.
    Last,
}

impl Position {
    /// Returns the position of layer `index` of `count`.
    #[inline(always)]
    pub fn of(index: usize, count: usize) -> Self {
        if index + 1 == count { Position::Last } else { Position::Inner }
    }
}

/// One time step of one layer: everything that its kernel reads. The memory, which it writes, is a separate
/// parameter: a compiler uses that two parameters do not overlap, but not that two fields of a struct do not.
#[derive(Clone, Copy)]
pub struct Step<'a, N: Number> {
    /// The layer's record in the file.
    pub record: &'a LayerRecord,
    /// The layer's weights, in the order of FORMAT.md.
    pub weights: &'a [N::Weight],
    /// The layer's input, `input_size` activations.
    pub x: &'a [N::Act],
    /// The buffer that a recurrent layer reads: alternates from step to step, the other one is written.
    pub phase: bool,
    /// The layer's position, which decides whether its memory ends in the model's output.
    pub position: Position,
}

/// One time step of consecutive layers.
#[derive(Clone, Copy)]
pub struct Steps<'a, N: Number> {
    /// The layers' records.
    pub records: &'a [LayerRecord],
    /// The layers' weights, one after another.
    pub weights: &'a [N::Weight],
    /// The first layer's input.
    pub x: &'a [N::Act],
    /// As in [`Step`].
    pub phase: bool,
    /// `true` if the last of them is the model's last.
    pub ends: bool,
    /// The index of a layer that does not run.
    pub skip: Option<usize>,
}

/// The table of layers for one dtype. `F` is the set of features that the build contains.
pub trait Dispatch: Sized {
    /// Checks everything about a record that does not depend on its neighbors.
    fn check<const F: u32>(record: &LayerRecord) -> Result<(), LayerFault>
    where
        Self: Number;
    /// Returns `true` if the layer carries a state from step to step.
    fn is_recurrent<const F: u32>(record: &LayerRecord) -> bool
    where
        Self: Number;
    /// Returns the number of weights that a step reads; `None` if the sizes do not fit each other or are too
    /// large to count.
    fn weights<const F: u32>(record: &LayerRecord) -> Option<usize>
    where
        Self: Number;
    /// Returns the number of weights behind those: the initial state; 0 if the layer starts from zeros.
    fn initial_weights<const F: u32>(record: &LayerRecord) -> usize
    where
        Self: Number;
    /// Returns the words of memory that the layer takes in a position; `None` if they are too many to count.
    fn memory<const F: u32>(record: &LayerRecord, position: Position) -> Option<usize>
    where
        Self: Number;
    /// Returns where in the layer's memory its state lies, in the order in which it is saved.
    fn state<const F: u32>(record: &LayerRecord, phase: bool) -> [Range<usize>; 2]
    where
        Self: Number;
    /// Returns the words at the end of the last layer's memory that hold the model's output.
    fn output_words<const F: u32>(record: &LayerRecord) -> usize
    where
        Self: Number;
    /// Returns the feature bits that the layer asks for.
    fn feature_bits<const F: u32>(record: &LayerRecord) -> u32
    where
        Self: Number;
    /// Runs one time step of consecutive layers, each in its own words of memory (its state, its output and
    /// what a step needs in between), and returns the last one's output; `None` cannot happen after
    /// `Model::new`.
    fn run_layers<'a, const F: u32>(
        backend: Backend,
        steps: Steps<'a, Self>,
        memory: &'a mut [Self::Word],
    ) -> Option<&'a [Self::Act]>
    where
        Self: Number;
}
