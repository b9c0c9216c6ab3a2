//! The table of layers: a line each at the end. Everything that has to tell kinds apart comes of it.

use super::{
    Layer, Place, Step, View, activation, batch_normalization, bidirectional, check, dense, embedding,
    features, gru, gru_reset_before, layer_normalization, lstm, masking, normalization, simple_rnn,
};
use crate::error::LayerFault;
use crate::format::LayerRecord;
use crate::format::features::{DECODER, MASKED, OTHER_ACTIVATIONS, RARE_ACTIVATIONS, WHOLE_SEQUENCES};
use crate::isa::{Backend, Isa};
use crate::number::{F16, F32, I8, Number};
use core::ops::Range;

macro_rules! layer_table {
    ($($(#[$doc:meta])* $kind:ident = $code:literal, $layer:ty;)*) => {
        /// The kinds of layers; the number is the code in the file.
        #[non_exhaustive]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])* $kind = $code,)* }

        /// Everything that a model can ask for: a bit for each kind of layers, and one for each other feature.
        pub const ALL_FEATURES: u32 =
            MASKED | DECODER | WHOLE_SEQUENCES | OTHER_ACTIVATIONS | RARE_ACTIVATIONS $(| 1 << $code)*;

        impl Kind {
            /// The kind whose code is `code`, if it is in the set `features`.
            #[inline(always)]
            pub const fn from_code(code: u8, features: u32) -> Option<Self> {
                match code {
                    $($code if features & 1 << $code != 0 => Some(Kind::$kind),)*
                    _ => None,
                }
            }

            /// Keras's name of the kind.
            pub const fn name(self) -> &'static str {
                match self { $(Kind::$kind => stringify!($kind),)* }
            }
        }

        /// The table of layers for a kind of numbers; `F` is the set of features that this build has.
        pub trait Dispatch: Sized {
            fn check<const F: u32>(record: &LayerRecord) -> Result<(), LayerFault> where Self: Number;
            fn is_recurrent<const F: u32>(record: &LayerRecord) -> bool where Self: Number;
            fn weights<const F: u32>(record: &LayerRecord) -> Option<usize> where Self: Number;
            fn memory<const F: u32>(record: &LayerRecord, place: Place) -> Option<usize> where Self: Number;
            fn state<const F: u32>(record: &LayerRecord, phase: bool) -> [Range<usize>; 2] where Self: Number;
            fn step<'a, S: Isa, const F: u32>(
                isa: S, layer: View<'a, Self>, x: &[Self::Act], memory: &'a mut [Self::Word], phase: bool,
                place: Place,
            ) -> Option<&'a [Self::Act]> where Self: Number;
            fn answer<const F: u32>(record: &LayerRecord) -> usize where Self: Number;
            fn features<const F: u32>(record: &LayerRecord) -> u32 where Self: Number;
            fn step_all(backend: Backend, step: Step<'_, Self, ALL_FEATURES>) -> Option<&[Self::Act]>
            where Self: Number;
        }

        layer_table!(@for F32 $($kind $layer),*);
        layer_table!(@for F16 $($kind $layer),*);
        layer_table!(@for I8 $($kind $layer),*);
    };
    (@for $number:ident $($kind:ident $layer:ty),*) => {
        impl Dispatch for $number {
            fn check<const F: u32>(record: &LayerRecord) -> Result<(), LayerFault> {
                match Kind::from_code(record.kind, F) {
                    $(Some(Kind::$kind) => check::<$number, $layer>(record),)*
                    None => Err(LayerFault::Kind),
                }
            }
            fn is_recurrent<const F: u32>(record: &LayerRecord) -> bool {
                match Kind::from_code(record.kind, F) {
                    $(Some(Kind::$kind) => <$layer as Layer<$number>>::RECURRENT,)*
                    None => false,
                }
            }
            fn weights<const F: u32>(record: &LayerRecord) -> Option<usize> {
                match Kind::from_code(record.kind, F)? {
                    $(Kind::$kind => <$layer as Layer<$number>>::weights(record),)*
                }
            }
            #[inline(always)]
            fn memory<const F: u32>(record: &LayerRecord, place: Place) -> Option<usize> {
                match Kind::from_code(record.kind, F)? {
                    $(Kind::$kind => <$layer as Layer<$number>>::memory_at(record, place),)*
                }
            }
            fn state<const F: u32>(record: &LayerRecord, phase: bool) -> [Range<usize>; 2] {
                match Kind::from_code(record.kind, F) {
                    $(Some(Kind::$kind) => <$layer as Layer<$number>>::state(record, phase),)*
                    None => [0..0, 0..0],
                }
            }
            #[inline(always)]
            fn step<'a, S: Isa, const F: u32>(
                isa: S,
                layer: View<'a, $number>,
                x: &[<$number as Number>::Act],
                memory: &'a mut [<$number as Number>::Word],
                phase: bool,
                place: Place,
            ) -> Option<&'a [<$number as Number>::Act]> {
                match Kind::from_code(layer.record.kind, F)? {
                    $(Kind::$kind => <$layer as Layer<$number>>::step_at::<S, F>(isa, layer, x, memory, phase, place),)*
                }
            }
            #[inline(always)]
            fn answer<const F: u32>(record: &LayerRecord) -> usize {
                match Kind::from_code(record.kind, F) {
                    $(Some(Kind::$kind) => <$layer as Layer<$number>>::answer(record),)*
                    None => 0,
                }
            }
            #[inline(never)]
            fn step_all(
                backend: Backend,
                step: Step<'_, $number, ALL_FEATURES>,
            ) -> Option<&[<$number as Number>::Act]> {
                backend.run(step)
            }
            fn features<const F: u32>(record: &LayerRecord) -> u32 {
                match Kind::from_code(record.kind, F) {
                    $(Some(Kind::$kind) => features::<$number, $layer>(record),)*
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
    GruResetBefore = 6, gru_reset_before::GruResetBefore;
    /// A row of weights for each id.
    Embedding = 7, embedding::Embedding;
    /// Merges the outputs of the two directions before it.
    Bidirectional = 8, bidirectional::Bidirectional;
    /// `x * scale + offset`, feature by feature, between other layers: Keras's BatchNormalization as it runs.
    BatchNormalization = 9, batch_normalization::BatchNormalization;
    /// Every time step with mean 0 and variance 1 over its features, then `gamma x + beta`.
    LayerNormalization = 10, layer_normalization::LayerNormalization;
    /// Says that a time step whose features all have one value is none.
    Masking = 11, masking::Masking;
    /// A function of every value, or of all values of a time step.
    Activation = 12, activation::Activation;
}
