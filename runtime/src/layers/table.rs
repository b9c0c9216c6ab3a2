//! The table of layers: one line each at the end. Everything that distinguishes kinds is generated from it.

use super::{
    Inputs, Layer, activation, add, batch_normalization, bidirectional, check, dense, embedding,
    feature_bits, global_average_pooling1d, global_max_pooling1d, gru, gru_reset_before, layer_normalization,
    lstm, masking, normalization, simple_rnn,
};
use crate::error::LayerFault;
use crate::format::LayerRecord;
use crate::format::feature_bits::{
    DECODER, EXTENDED_ACTIVATIONS, INITIAL_STATES, MASKED, NON_DEFAULT_ACTIVATIONS, SEPARATE_SCALES,
    WHOLE_SEQUENCES,
};
use crate::isa::{Backend, Isa, Operation};
use crate::number::{Dispatch, F16, F32, I8, Number, Position, Step, Steps};
use core::ops::Range;

/// A time step of consecutive layers as an operation, to be run on whatever instruction set the model has.
/// The steps are a reference: they go through functions that are not inlined, and a copy of them at each cost
/// a small net a tenth of its time on a PC.
struct Forward<'s, 'a, N: Number, const F: u32> {
    steps: &'s Steps<'a, N>,
    memory: &'a mut [N::Word],
}

/// The features beside the kinds of layers.
const OTHER_FEATURES: u32 = MASKED
    | DECODER
    | WHOLE_SEQUENCES
    | NON_DEFAULT_ACTIVATIONS
    | EXTENDED_ACTIVATIONS
    | INITIAL_STATES
    | SEPARATE_SCALES;

macro_rules! layer_table {
    ($($(#[$doc:meta])* $kind:ident = $code:literal, $layer:ty;)*) => {
        /// The kinds of layers; the number is the code in the file.
        #[non_exhaustive]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])* $kind = $code,)* }

        /// Everything that a model can ask for: one bit for each kind of layer, and one for each other
        /// feature.
        pub const ALL_FEATURES: u32 = OTHER_FEATURES $(| 1 << $code)*;

        const _: () = assert!(OTHER_FEATURES & (0 $(| 1 << $code)*) == 0, "a kind has the bit of a feature");

        impl Kind {
            /// Returns the kind whose code is `code`, if it is in the set `features`.
            #[inline(always)]
            pub const fn from_code(code: u8, features: u32) -> Option<Self> {
                match code {
                    $($code if features & 1 << $code != 0 => Some(Kind::$kind),)*
                    _ => None,
                }
            }

            /// Returns `true` if a layer of this kind carries a state from step to step.
            pub const fn is_recurrent(self) -> bool {
                match self { $(Kind::$kind => <$layer as Layer<F32>>::RECURRENT,)* }
            }

            /// Returns Keras's name of the kind.
            pub const fn name(self) -> &'static str {
                match self { $(Kind::$kind => stringify!($kind),)* }
            }
        }

        layer_table!(@for F32 $($kind $layer),*);
        layer_table!(@for F16 $($kind $layer),*);
        layer_table!(@for I8 $($kind $layer),*);
    };
    (@for $number:ident $($kind:ident $layer:ty),*) => {
        impl<'a, const F: u32> Operation for Forward<'_, 'a, $number, F> {
            type Output = Option<&'a [<$number as Number>::Act]>;

            #[inline(always)]
            fn run<S: Isa>(self, isa: S) -> Self::Output {
                let Forward { steps, mut memory } = self;
                let &Steps { records, mut weights, mut x, phase, ends, skip } = steps;
                let mut inputs = Inputs::new();
                for (i, record) in records.iter().enumerate() {
                    if F & 1 << Kind::Add as u32 != 0 {
                        inputs.push(x);
                    }
                    let words = record.weights_len as usize / size_of::<<$number as Number>::Weight>();
                    let (own, others) = weights.split_at_checked(words)?;
                    weights = others;
                    let own = if F & INITIAL_STATES == 0 || !record.has_initial_state() {
                        own
                    } else {
                        let initial = <$number as Dispatch>::initial_weights::<F>(record);
                        own.get(..own.len().checked_sub(initial)?)?
                    };
                    let position = if ends { Position::of(i, records.len()) } else { Position::Inner };
                    let step = Step { record, weights: own, x, phase, position };
                    let skipped = skip == Some(i);
                    (x, memory) = match Kind::from_code(record.kind, F)? {
                        $(Kind::$kind => {
                            let operands = (memory, &inputs);
                            <$layer as Layer<$number>>::forward_in::<S, F>(isa, step, operands, skipped)?
                        })*
                    };
                }
                Some(x)
            }
        }

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
            fn initial_weights<const F: u32>(record: &LayerRecord) -> usize {
                match Kind::from_code(record.kind, F) {
                    $(Some(Kind::$kind) => <$layer as Layer<$number>>::initial_weights::<F>(record),)*
                    None => 0,
                }
            }
            #[inline(always)]
            fn memory<const F: u32>(record: &LayerRecord, position: Position) -> Option<usize> {
                match Kind::from_code(record.kind, F)? {
                    $(Kind::$kind => <$layer as Layer<$number>>::memory_at(record, position),)*
                }
            }
            fn state<const F: u32>(record: &LayerRecord, phase: bool) -> [Range<usize>; 2] {
                match Kind::from_code(record.kind, F) {
                    $(Some(Kind::$kind) => <$layer as Layer<$number>>::state(record, phase),)*
                    None => [0..0, 0..0],
                }
            }
            #[inline(always)]
            fn output_words<const F: u32>(record: &LayerRecord) -> usize {
                match Kind::from_code(record.kind, F) {
                    $(Some(Kind::$kind) => <$layer as Layer<$number>>::output_words(record),)*
                    None => 0,
                }
            }
            fn feature_bits<const F: u32>(record: &LayerRecord) -> u32 {
                match Kind::from_code(record.kind, F) {
                    $(Some(Kind::$kind) => feature_bits::<$number, $layer>(record),)*
                    None => 0,
                }
            }
            /// The code of all layers is linked once, for all callers; and with all features it is compiled
            /// here, once for all crates that use it.
            #[inline(always)]
            fn run_layers<'a, const F: u32>(
                backend: Backend,
                steps: Steps<'a, $number>,
                memory: &'a mut [<$number as Number>::Word],
            ) -> Option<&'a [<$number as Number>::Act]> {
                #[inline(never)]
                fn run_all<'a>(
                    backend: Backend,
                    steps: &Steps<'a, $number>,
                    memory: &'a mut [<$number as Number>::Word],
                ) -> Option<&'a [<$number as Number>::Act]> {
                    backend.run(Forward::<$number, ALL_FEATURES> { steps, memory })
                }
                #[inline(never)]
                fn run<'a, const F: u32>(
                    backend: Backend,
                    steps: &Steps<'a, $number>,
                    memory: &'a mut [<$number as Number>::Word],
                ) -> Option<&'a [<$number as Number>::Act]> {
                    backend.run(Forward::<$number, F> { steps, memory })
                }
                if F == ALL_FEATURES {
                    run_all(backend, &steps, memory)
                } else {
                    run::<F>(backend, &steps, memory)
                }
            }
        }
    };
}

layer_table! {
    /// `x * scale + offset` per feature; Keras's Normalization with its statistics folded.
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
    /// One row of weights per id.
    Embedding = 7, embedding::Embedding;
    /// Merges the outputs of the two directions before it.
    Bidirectional = 8, bidirectional::Bidirectional;
    /// `x * scale + offset` per feature, between other layers: Keras's BatchNormalization at inference.
    BatchNormalization = 9, batch_normalization::BatchNormalization;
    /// Every time step with mean 0 and variance 1 over its features, then `gamma x + beta`.
    LayerNormalization = 10, layer_normalization::LayerNormalization;
    /// Masks the time steps whose features all have one value.
    Masking = 11, masking::Masking;
    /// A function of every value, or of all values of a time step.
    Activation = 12, activation::Activation;
    /// The largest value per feature over the time steps so far.
    GlobalMaxPooling1D = 13, global_max_pooling1d::GlobalMaxPooling1D;
    /// The mean per feature over the time steps so far.
    GlobalAveragePooling1D = 14, global_average_pooling1d::GlobalAveragePooling1D;
    /// The sum of its input and the input of an earlier layer.
    Add = 15, add::Add;
}

impl Kind {
    /// Returns `true` if this is a cell: its state is `h`, and in an LSTM `c`, of one value per unit each.
    pub const fn is_cell(self) -> bool {
        matches!(self, Kind::SimpleRnn | Kind::Lstm | Kind::Gru | Kind::GruResetBefore)
    }
}
