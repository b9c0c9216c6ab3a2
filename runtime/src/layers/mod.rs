//! The layers: one file each, with its float and its integer step. `table` lists them.
//!
//! A layer says how many weights and how much memory it has, checks its record once, and then steps: input slice in,
//! output slice out, both within memory that the caller of the model gave. Nothing here can panic; a `None` means that
//! the lengths are not what [`Layer::check`] accepted, which cannot happen after `Model::new`.

mod activation;
mod batch_normalization;
mod bidirectional;
mod blocks;
mod cell;
mod dense;
mod embedding;
mod gru;
mod gru_reset_before;
mod layer_normalization;
mod lstm;
mod masking;
mod normalization;
mod panels;
mod simple_rnn;
mod table;

pub use lstm::CELL_LIMIT;
pub use masking::mask_value;
pub use normalization::{quantize, to_nearest};
pub use table::{ALL_FEATURES, Dispatch, Kind};

use crate::error::LayerFault;
use crate::format::features::{MASKED, OTHER_ACTIVATIONS, RARE_ACTIVATIONS, WHOLE_SEQUENCES};
use crate::format::{Activation, DIRECTION, DType, GO_BACKWARDS, LayerRecord, RETURN_SEQUENCES};
use crate::isa::{Backend, Isa, LANES, Operation};
use crate::number::Number;
use core::ops::Range;

/// A layer in the file: its record and its weights.
#[derive(Clone, Copy)]
pub struct View<'a, N: Number> {
    pub record: &'a LayerRecord,
    pub weights: &'a [N::Weight],
}

/// What a layer kind says of itself for one kind of numbers. Memory is in words of four bytes.
pub trait Layer<N: Number> {
    /// Activations it takes. Checked before anything else is asked.
    const ACTIVATIONS: &'static [Activation];
    /// Those beside them that are over all of its units.
    const OVER_UNITS: &'static [Activation] = &[];
    /// The same for its gates; empty if it has none (the record then holds 0).
    const RECURRENT_ACTIVATIONS: &'static [Activation] = &[];
    /// Whether it carries a state from step to step.
    const RECURRENT: bool = false;
    /// Flags that its record may have.
    const FLAGS: u8 = if Self::RECURRENT { RETURN_SEQUENCES | GO_BACKWARDS | DIRECTION } else { 0 };

    /// Whether the record's scales are in the range that the arithmetic needs.
    fn scales_fit(_record: &LayerRecord) -> bool {
        true
    }
    /// Whether the fields that only some kinds use hold what this kind may have there.
    fn fields_fit(record: &LayerRecord) -> bool {
        record.merge_mode == 0 && record.input_dim == 0
    }
    /// Weights; `None` if the sizes are too large to count.
    fn weights(record: &LayerRecord) -> Option<usize>;
    /// Words of memory between and during steps.
    fn memory(record: &LayerRecord) -> Option<usize>;
    /// Where in its memory the state lies, after a step that left `phase`; in this order it is saved.
    fn state(_record: &LayerRecord, _phase: bool) -> [Range<usize>; 2] {
        [0..0, 0..0]
    }
    /// One time step. `phase` alternates, so that a recurrent layer reads one of two buffers and writes the other. `F` is
    /// the set of features that this build has.
    fn step<'a, S: Isa, const F: u32>(
        isa: S,
        layer: View<'a, N>,
        x: &[N::Act],
        memory: &'a mut [N::Word],
        phase: bool,
    ) -> Option<&'a [N::Act]>;

    /// Words at the end of its memory that hold the answer, if it is the last layer.
    fn answer(record: &LayerRecord) -> usize {
        record.units()
    }
    /// Words of memory in its place.
    #[inline(always)]
    fn memory_at(record: &LayerRecord, place: Place) -> Option<usize> {
        match place {
            Place::Inner => Self::memory(record),
            Place::Last => Self::memory(record)?.checked_add(Self::answer(record)),
        }
    }
    /// One time step in its place: the last layer leaves its answer at the end of its memory.
    #[inline(always)]
    fn step_at<'a, S: Isa, const F: u32>(
        isa: S,
        layer: View<'a, N>,
        x: &[N::Act],
        memory: &'a mut [N::Word],
        phase: bool,
        _place: Place,
    ) -> Option<&'a [N::Act]> {
        let (own, answer) = memory.split_at_mut_checked(Self::memory(layer.record)?)?;
        let y = Self::step::<S, F>(isa, layer, x, own, phase)?;
        N::widen(y, answer); // Room for it has the last layer only.
        Some(y)
    }
}

/// What a layer asks of the build beside the code of its kind.
fn features<N: Number, L: Layer<N>>(record: &LayerRecord) -> u32 {
    let default = L::RECURRENT_ACTIVATIONS.is_empty() || cell::has_defaults(record);
    let rare = Activation::is_rare(record.activation) || Activation::is_rare(record.recurrent_activation);
    let feature = |is: bool, feature: u32| if is { feature } else { 0 };
    1u32.wrapping_shl(record.kind.into())
        | feature(record.masks(), MASKED)
        | feature(record.go_backwards(), WHOLE_SEQUENCES)
        | feature(!default, OTHER_ACTIVATIONS)
        | feature(rare && N::DTYPE as u8 != DType::I8 as u8, RARE_ACTIVATIONS)
}

/// Where a layer stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Its output is the next layer's input.
    Inner,
    /// Its output is the answer.
    Last,
}

impl Place {
    /// That of layer `index` of `count`.
    #[inline(always)]
    pub fn of(index: usize, count: usize) -> Self {
        if index + 1 == count { Place::Last } else { Place::Inner }
    }
}

/// A layer's time step, to be run on whatever instruction set the model has.
pub struct Step<'a, N: Number, const F: u32> {
    pub layer: View<'a, N>,
    pub x: &'a [N::Act],
    pub memory: &'a mut [N::Word],
    pub phase: bool,
    pub place: Place,
}

impl<'a, N: Number, const F: u32> Operation for Step<'a, N, F> {
    type Output = Option<&'a [N::Act]>;

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) -> Self::Output {
        let Step { layer, x, memory, phase, place } = self;
        N::step::<S, F>(isa, layer, x, memory, phase, place)
    }
}

/// Runs it. The code of all layers is there once, for all that steps; and with all features it is compiled here, once for all
/// crates that use it.
#[inline(always)]
pub fn step_layer<N: Number, const F: u32>(backend: Backend, step: Step<'_, N, F>) -> Option<&[N::Act]> {
    let Step { layer, x, memory, phase, place } = step;
    if F == ALL_FEATURES {
        return N::step_all(backend, Step { layer, x, memory, phase, place });
    }
    step_some(backend, Step::<N, F> { layer, x, memory, phase, place })
}

#[inline(never)]
fn step_some<N: Number, const F: u32>(backend: Backend, step: Step<'_, N, F>) -> Option<&[N::Act]> {
    backend.run(step)
}

/// What every kind must have right, whatever its own rules.
fn check<N: Number, L: Layer<N>>(record: &LayerRecord) -> Result<(), LayerFault> {
    let among = |code: u8, set: &[Activation]| {
        if set.is_empty() { code == 0 } else { set.iter().any(|&a| a as u8 == code) }
    };
    let over_units = L::OVER_UNITS.iter().any(|&a| a as u8 == record.activation);
    if record.flags & !L::FLAGS != 0 || record.reserved != 0 || !L::fields_fit(record) {
        return Err(LayerFault::Reserved);
    }
    if record.x_shift > 31 || record.h_shift > 31 || !L::scales_fit(record) {
        return Err(LayerFault::Scale);
    }
    if !(over_units || among(record.activation, L::ACTIVATIONS))
        || !among(record.recurrent_activation, L::RECURRENT_ACTIVATIONS)
    {
        return Err(LayerFault::Activation);
    }
    if record.input_size == 0 || record.units == 0 {
        return Err(LayerFault::Size);
    }
    Ok(())
}

/// Units rounded up to whole float panels.
#[inline(always)]
fn padded(units: usize) -> usize {
    units.div_ceil(LANES) * LANES
}

/// The number of `i16` activations kept for `n`: a multiple of 4.
#[inline(always)]
pub const fn quads(n: usize) -> usize {
    n.div_ceil(4) * 4
}

/// The two buffers of a recurrent layer: the output of the step before, and the place for this one's.
#[inline(always)]
fn previous_and_next<T>(buffers: &mut [T], phase: bool) -> Option<(&mut [T], &mut [T])> {
    let (a, b) = buffers.split_at_mut_checked(buffers.len() / 2)?;
    Some(if phase { (b, a) } else { (a, b) })
}

/// Where the buffer lies that a step in `phase` wrote, of two buffers of `len` words from `at` on.
fn written(at: usize, len: usize, phase: bool) -> Range<usize> {
    let at = if phase { at } else { at + len };
    at..at + len
}
