//! The features that a model can ask for beside its kinds of layers, whose codes are the bits below these.

/// An integer layer has separate scales for its input and its state.
pub const SEPARATE_SCALES: u32 = 1 << 25;
/// A recurrent layer starts from a state other than zeros.
pub const INITIAL_STATES: u32 = 1 << 26;
/// An activation is an extended one ([`Activation::is_extended`](super::Activation::is_extended)).
pub const EXTENDED_ACTIVATIONS: u32 = 1 << 27;
/// The first layer masks time steps.
pub const MASKED: u32 = 1 << 28;
/// The model is an encoder and a decoder.
pub const DECODER: u32 = 1 << 29;
/// A layer runs backwards.
pub const WHOLE_SEQUENCES: u32 = 1 << 30;
/// A cell with gates has other activations than the defaults of its kind.
pub const NON_DEFAULT_ACTIVATIONS: u32 = 1 << 31;
