//! The layers: one file each, with its float and its integer kernel. `table` lists them.
//!
//! A layer counts its weights and its memory, checks its record once, and then computes steps: input slice
//! in, output slice out, both within memory that the caller of the model owns. Nothing here can panic. A
//! `None` out of a step means that a length differs from what `check` accepted, which cannot happen after
//! `Model::new`; the model asserts that in tests.
//!
//! `panels` and `blocks` are the two matrix-vector products, of floats and of integers; each opens with its
//! data layout.

mod activation;
mod add;
mod batch_normalization;
mod bidirectional;
mod blocks;
mod cell;
mod dense;
mod embedding;
mod global_average_pooling1d;
mod global_max_pooling1d;
mod gru;
mod gru_reset_before;
mod layer_normalization;
mod lstm;
mod masking;
mod normalization;
mod panels;
mod simple_rnn;
mod table;

pub use masking::mask_value;
pub use normalization::quantize;
pub use table::{ALL_FEATURES, Kind};

use crate::error::LayerFault;
use crate::format::feature_bits::{
    EXTENDED_ACTIVATIONS, INITIAL_STATES, MASKED, NON_DEFAULT_ACTIVATIONS,
    SEPARATE_SCALES as SEPARATE_SCALES_FEATURE, WHOLE_SEQUENCES,
};
use crate::format::{
    Activation, DIRECTION, DType, GO_BACKWARDS, INITIAL_STATE, LANES, LayerRecord, MAX_FRAC, MAX_INPUT_FRAC,
    MAX_SIZE, MIN_FRAC, RETURN_SEQUENCES, SEPARATE_SCALES,
};
use crate::isa::Isa;
use crate::number::{Number, Position, Step};
use add::Inputs;
use core::ops::Range;

/// A layer's output, and the memory of the layers after it.
pub type Done<'a, N> = (&'a [<N as Number>::Act], &'a mut [<N as Number>::Word]);

/// A kind of layer for one dtype. Memory is in words of four bytes.
pub trait Layer<N: Number> {
    /// The activations of single units. They are checked before anything else is asked.
    const ACTIVATIONS: &'static [Activation];
    /// The activations over all units of the layer.
    const OVER_UNITS: &'static [Activation] = &[];
    /// The activations of the gates; empty if the kind has none (the record then holds 0).
    const RECURRENT_ACTIVATIONS: &'static [Activation] = &[];
    /// `true` if the record may have a parameter of its activation.
    const ACTIVATION_PARAMETER: bool = false;
    /// `true` if the layer carries a state from step to step. Without a default, because a layer that forgets
    /// it works until its state is saved, or until the layer runs backwards.
    const RECURRENT: bool;
    /// The flags that the record may have.
    const FLAGS: u8 = if !Self::RECURRENT {
        0
    } else if is_integer::<N>() {
        RETURN_SEQUENCES | GO_BACKWARDS | DIRECTION | INITIAL_STATE | SEPARATE_SCALES
    } else {
        RETURN_SEQUENCES | GO_BACKWARDS | DIRECTION | INITIAL_STATE
    };
    /// The largest number of fraction bits of an integer layer's output.
    const MAX_FRAC: u32 = MAX_FRAC;
    /// `true` if the record states the fraction bits of an integer layer's input.
    const HAS_INPUT_FRAC: bool = false;

    /// Returns `true` if the record's scales are in the range that the arithmetic needs.
    fn scales_fit(_record: &LayerRecord) -> bool {
        true
    }
    /// Returns `true` if the fields that only some kinds use hold what this kind may have there.
    fn fields_fit(record: &LayerRecord) -> bool {
        record.merge_mode == 0 && record.input_dim == 0
    }
    /// Returns the number of weights that a step reads; `None` if the sizes do not fit each other or are too
    /// large to count.
    fn weights(record: &LayerRecord) -> Option<usize>;
    /// Returns the words of memory that the layer takes between and during steps.
    fn memory(record: &LayerRecord) -> Option<usize>;
    /// Returns where in the layer's memory its state lies after a step that left `phase`, in the order in
    /// which it is saved; not empty if the layer is [`RECURRENT`](Layer::RECURRENT).
    fn state(_record: &LayerRecord, _phase: bool) -> [Range<usize>; 2] {
        [0..0, 0..0]
    }
    /// Returns the number of weights behind those that a step reads: the initial state in the form that it
    /// has in memory; 0 if the layer starts from zeros.
    #[inline(always)]
    fn initial_weights<const F: u32>(record: &LayerRecord) -> usize {
        if F & INITIAL_STATES == 0 || !record.has_initial_state() {
            return 0;
        }
        let words: usize = Self::state(record, false).iter().map(Range::len).sum();
        words * (size_of::<N::Word>() / size_of::<N::Weight>())
    }
    /// Copies what the layer reads beside its input, the input of an earlier layer, into its memory.
    #[inline(always)]
    fn load(_record: &LayerRecord, _inputs: &Inputs<'_, N>, _memory: &mut [N::Word]) -> Option<()> {
        Some(())
    }
    /// Computes one time step and returns its output. `F` is the set of features that the build contains.
    fn forward<'a, S: Isa, const F: u32>(
        isa: S,
        step: Step<'a, N>,
        memory: &'a mut [N::Word],
    ) -> Option<&'a [N::Act]>;

    /// Returns the words at the end of the last layer's memory that hold the model's output.
    fn output_words(record: &LayerRecord) -> usize {
        record.units()
    }
    /// Returns the words of memory that the layer takes in a position.
    #[inline(always)]
    fn memory_at(record: &LayerRecord, position: Position) -> Option<usize> {
        match position {
            Position::Inner => Self::memory(record),
            Position::Last => Self::memory(record)?.checked_add(Self::output_words(record)),
        }
    }
    /// Computes one time step in the layer's position: the last layer leaves the model's output at the end of
    /// its memory.
    #[inline(always)]
    fn forward_at<'a, S: Isa, const F: u32>(
        isa: S,
        step: Step<'a, N>,
        memory: &'a mut [N::Word],
    ) -> Option<&'a [N::Act]> {
        let (own, output) = memory.split_at_mut_checked(Self::memory(step.record)?)?;
        let y = Self::forward::<S, F>(isa, step, own)?;
        N::widen(y, output); // Only the last layer has room for it.
        Some(y)
    }
    /// Takes the layer's own memory from the front of `memory` and computes its time step there, unless it is
    /// `skipped`. Returns the output, or the input of a skipped layer, and the memory of the layers after it.
    #[inline(always)]
    fn forward_in<'a, S: Isa, const F: u32>(
        isa: S,
        step: Step<'a, N>,
        (memory, inputs): (&'a mut [N::Word], &Inputs<'_, N>),
        skipped: bool,
    ) -> Option<Done<'a, N>> {
        let (own, others) = memory.split_at_mut_checked(Self::memory_at(step.record, step.position)?)?;
        Self::load(step.record, inputs, own)?;
        let y = if skipped {
            step.x
        } else if S::ONE_FUNCTION {
            Self::forward_at::<S, F>(isa, step, own)?
        } else {
            forward_apart::<N, Self, S, F>(isa, &step, own)?
        };
        Some((y, others))
    }
}

/// Computes [`Layer::forward_at`] in a function of its own, so that the compiler knows that the
/// memory, a parameter, does not overlap the weights. Without it, copies of panels became calls on a
/// Cortex-M4: a step of an Lstm 10 -> 32 took 16,762 instructions in f32 instead of 15,681.
#[inline(never)]
fn forward_apart<'a, N: Number, L: Layer<N> + ?Sized, S: Isa, const F: u32>(
    isa: S,
    step: &Step<'a, N>,
    memory: &'a mut [N::Word],
) -> Option<&'a [N::Act]> {
    L::forward_at::<S, F>(isa, *step, memory)
}

/// Returns the feature bits that a layer asks for.
fn feature_bits<N: Number, L: Layer<N>>(record: &LayerRecord) -> u32 {
    let default = L::RECURRENT_ACTIVATIONS.is_empty() || cell::has_defaults(record);
    let extended =
        Activation::is_extended(record.activation) || Activation::is_extended(record.recurrent_activation);
    let bit = |is: bool, bit: u32| if is { bit } else { 0 };
    1u32.wrapping_shl(record.kind.into())
        | bit(record.masks(), MASKED)
        | bit(record.go_backwards(), WHOLE_SEQUENCES)
        | bit(record.has_initial_state(), INITIAL_STATES)
        | bit(!default, NON_DEFAULT_ACTIVATIONS)
        | bit(extended && !is_integer::<N>(), EXTENDED_ACTIVATIONS)
        | bit(record.has_separate_scales(), SEPARATE_SCALES_FEATURE)
}

/// Returns `true` if the dtype is that of integer models.
const fn is_integer<N: Number>() -> bool {
    N::DTYPE as u8 == DType::I8 as u8
}

/// Returns `true` if the fraction bits of a record are those of an integer model; a float model has none.
fn fracs_fit<N: Number, L: Layer<N>>(record: &LayerRecord) -> bool {
    let fits = |frac: u8, has: bool, most: u32| {
        if is_integer::<N>() && has { (MIN_FRAC..=most).contains(&frac.into()) } else { frac == 0 }
    };
    fits(record.frac, true, L::MAX_FRAC) && fits(record.input_frac, L::HAS_INPUT_FRAC, MAX_INPUT_FRAC)
}

/// Checks what holds for every kind, and the kind's own rules.
fn check<N: Number, L: Layer<N>>(record: &LayerRecord) -> Result<(), LayerFault> {
    let among = |code: u8, set: &[Activation]| {
        if set.is_empty() { code == 0 } else { set.iter().any(|&a| a as u8 == code) }
    };
    let over_units = L::OVER_UNITS.iter().any(|&a| a as u8 == record.activation);
    let has_parameter = L::ACTIVATION_PARAMETER && Activation::has_parameter(record.activation);
    let is_reserved = record.activation_parameter.to_bits() != 0 && !has_parameter;
    if record.flags & !L::FLAGS != 0 || is_reserved || !L::fields_fit(record) {
        return Err(LayerFault::Reserved);
    }
    if !fracs_fit::<N, L>(record) || !L::scales_fit(record) {
        return Err(LayerFault::Scale);
    }
    if !(over_units || among(record.activation, L::ACTIVATIONS))
        || !among(record.recurrent_activation, L::RECURRENT_ACTIVATIONS)
    {
        return Err(LayerFault::Activation);
    }
    let sizes = 1..=MAX_SIZE;
    if !sizes.contains(&record.input_size) || !sizes.contains(&record.units) {
        return Err(LayerFault::Size);
    }
    Ok(())
}

/// Returns the units, at most [`MAX_SIZE`], rounded up to whole panels.
#[inline(always)]
fn padded(units: usize) -> usize {
    units.div_ceil(LANES) * LANES
}

/// Splits the two buffers of a recurrent layer: the output of the step before, and the room for this one's.
#[inline(always)]
fn previous_and_next<T>(buffers: &mut [T], phase: bool) -> Option<(&mut [T], &mut [T])> {
    let (a, b) = buffers.split_at_mut_checked(buffers.len() / 2)?;
    Some(if phase { (b, a) } else { (a, b) })
}

/// Returns where the buffer lies that a step in `phase` wrote, of two buffers of `len` words from `at` on.
fn written(at: usize, len: usize, phase: bool) -> Range<usize> {
    let at = if phase { at } else { at + len };
    at..at + len
}
