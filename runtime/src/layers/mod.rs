//! The layers: one file each, with its float and its integer step. [`layer_table!`] at the end lists them.
//!
//! A layer says how many weights and how much memory it has, checks its record once, and then steps: input slice in,
//! output slice out, both within memory that the caller of the model gave. Nothing here can panic; a `None` means that
//! the lengths are not what [`Layer::check`] accepted, which cannot happen after `Model::new`.

mod blocks;
mod dense;
mod gru;
mod lstm;
mod normalization;
mod panels;
mod simple_rnn;

pub use normalization::quantize;

use crate::error::LayerFault;
use crate::format::{Activation, LayerRecord, RETURN_SEQUENCES};
use crate::isa::{Isa, LANES};
use crate::number::{F16, F32, I8, Number};
use core::ops::Range;

/// A layer in the file: its record and its weights.
#[derive(Clone, Copy)]
pub struct View<'a, N: Number> {
    pub record: &'a LayerRecord,
    pub weights: &'a [N::Weight],
}

/// What a layer kind says of itself for one kind of numbers. Memory is in words of four bytes.
pub trait Layer<N: Number> {
    /// Activations it takes; the first is Keras's default. Checked before anything else is asked.
    const ACTIVATIONS: &'static [Activation];
    /// The same for its gates; empty if it has none (the record then holds 0).
    const RECURRENT_ACTIVATIONS: &'static [Activation] = &[];
    /// Whether it carries a state from step to step.
    const RECURRENT: bool = false;

    /// Whether the record's scales are in the range that the arithmetic needs.
    fn scales_fit(_record: &LayerRecord) -> bool {
        true
    }
    /// Weights; `None` if the sizes are too large to count.
    fn weights(record: &LayerRecord) -> Option<usize>;
    /// Words of memory between and during steps.
    fn memory(record: &LayerRecord) -> Option<usize>;
    /// Where in its memory the state lies, after a step that left `phase`; in this order it is saved.
    fn state(_record: &LayerRecord, _phase: bool) -> [Range<usize>; 2] {
        [0..0, 0..0]
    }
    /// One time step. `phase` alternates, so that a recurrent layer reads one of two buffers and writes the other.
    fn step<'a, S: Isa>(
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
    fn step_at<'a, S: Isa>(
        isa: S,
        layer: View<'a, N>,
        x: &[N::Act],
        memory: &'a mut [N::Word],
        phase: bool,
        _place: Place,
    ) -> Option<&'a [N::Act]> {
        let (own, answer) = memory.split_at_mut_checked(Self::memory(layer.record)?)?;
        let y = Self::step(isa, layer, x, own, phase)?;
        N::widen(y, answer); // Room for it has the last layer only.
        Some(y)
    }
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

/// What every kind must have right, whatever its own rules.
fn check<N: Number, L: Layer<N>>(record: &LayerRecord) -> Result<(), LayerFault> {
    let among = |code: u8, set: &[Activation]| {
        if set.is_empty() { code == 0 } else { set.iter().any(|&a| a as u8 == code) }
    };
    if record.flags & !RETURN_SEQUENCES != 0 || record.reserved != 0 || record.reserved_words != [0; 2] {
        return Err(LayerFault::Reserved);
    }
    if record.x_shift > 31 || record.h_shift > 31 || !L::scales_fit(record) {
        return Err(LayerFault::Scale);
    }
    if !among(record.activation, L::ACTIVATIONS)
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
fn quads(n: usize) -> usize {
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

macro_rules! layer_table {
    ($($(#[$doc:meta])* $kind:ident = $code:literal, $layer:ty;)*) => {
        /// The kinds of layers; the number is the code in the file.
        #[non_exhaustive]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])* $kind = $code,)* }

        /// The set of all kinds, one bit each.
        pub const ALL_KINDS: u32 = 0 $(| 1 << $code)*;

        impl Kind {
            /// The kind whose code is `code`, if it is in the set `kinds`.
            #[inline(always)]
            pub const fn from_code(code: u8, kinds: u32) -> Option<Self> {
                match code {
                    $($code if kinds & 1 << $code != 0 => Some(Kind::$kind),)*
                    _ => None,
                }
            }

            /// Keras's name of the kind.
            pub const fn name(self) -> &'static str {
                match self { $(Kind::$kind => stringify!($kind),)* }
            }
        }

        /// The table of layers for a kind of numbers; `K` is the set of kinds that this build has.
        pub trait Dispatch: Sized {
            fn check<const K: u32>(record: &LayerRecord) -> Result<(), LayerFault> where Self: Number;
            fn is_recurrent<const K: u32>(record: &LayerRecord) -> bool where Self: Number;
            fn weights<const K: u32>(record: &LayerRecord) -> Option<usize> where Self: Number;
            fn memory<const K: u32>(record: &LayerRecord, place: Place) -> Option<usize> where Self: Number;
            fn state<const K: u32>(record: &LayerRecord, phase: bool) -> [Range<usize>; 2] where Self: Number;
            fn step<'a, S: Isa, const K: u32>(
                isa: S, layer: View<'a, Self>, x: &[Self::Act], memory: &'a mut [Self::Word], phase: bool,
                place: Place,
            ) -> Option<&'a [Self::Act]> where Self: Number;
            fn answer<const K: u32>(record: &LayerRecord) -> usize where Self: Number;
        }

        layer_table!(@for F32 $($kind $layer),*);
        layer_table!(@for F16 $($kind $layer),*);
        layer_table!(@for I8 $($kind $layer),*);
    };
    (@for $number:ident $($kind:ident $layer:ty),*) => {
        impl Dispatch for $number {
            fn check<const K: u32>(record: &LayerRecord) -> Result<(), LayerFault> {
                match Kind::from_code(record.kind, K) {
                    $(Some(Kind::$kind) => check::<$number, $layer>(record),)*
                    None => Err(LayerFault::Kind),
                }
            }
            fn is_recurrent<const K: u32>(record: &LayerRecord) -> bool {
                match Kind::from_code(record.kind, K) {
                    $(Some(Kind::$kind) => <$layer as Layer<$number>>::RECURRENT,)*
                    None => false,
                }
            }
            fn weights<const K: u32>(record: &LayerRecord) -> Option<usize> {
                match Kind::from_code(record.kind, K)? {
                    $(Kind::$kind => <$layer as Layer<$number>>::weights(record),)*
                }
            }
            #[inline(always)]
            fn memory<const K: u32>(record: &LayerRecord, place: Place) -> Option<usize> {
                match Kind::from_code(record.kind, K)? {
                    $(Kind::$kind => <$layer as Layer<$number>>::memory_at(record, place),)*
                }
            }
            fn state<const K: u32>(record: &LayerRecord, phase: bool) -> [Range<usize>; 2] {
                match Kind::from_code(record.kind, K) {
                    $(Some(Kind::$kind) => <$layer as Layer<$number>>::state(record, phase),)*
                    None => [0..0, 0..0],
                }
            }
            #[inline(always)]
            fn step<'a, S: Isa, const K: u32>(
                isa: S,
                layer: View<'a, $number>,
                x: &[<$number as Number>::Act],
                memory: &'a mut [<$number as Number>::Word],
                phase: bool,
                place: Place,
            ) -> Option<&'a [<$number as Number>::Act]> {
                match Kind::from_code(layer.record.kind, K)? {
                    $(Kind::$kind => <$layer as Layer<$number>>::step_at(isa, layer, x, memory, phase, place),)*
                }
            }
            #[inline(always)]
            fn answer<const K: u32>(record: &LayerRecord) -> usize {
                match Kind::from_code(record.kind, K) {
                    $(Some(Kind::$kind) => <$layer as Layer<$number>>::answer(record),)*
                    None => 0,
                }
            }
        }
    };
}

layer_table! {
    /// `x * scale + offset`, feature by feature; Keras's Normalization with its statistics folded.
    Normalization = 1, normalization::Normalization;
    /// `activation(W x + b)`
    Dense = 2, dense::Dense;
    /// `h' = activation(W x + U h + b)`
    SimpleRnn = 3, simple_rnn::SimpleRnn;
    /// Gates i, f, g, o.
    Lstm = 4, lstm::Lstm;
    /// Gates z, r, n; the reset gate after the recurrent product.
    Gru = 5, gru::Gru;
    /// Gates z, r, n; the reset gate before the recurrent product.
    GruResetBefore = 6, gru::GruResetBefore;
}
