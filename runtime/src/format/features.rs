//! What a model can ask of a build beside the code of its kinds of layers, which have the bits below these.

/// An activation is one that most models do without ([`Activation::is_rare`](super::Activation::is_rare)).
pub const RARE_ACTIVATIONS: u32 = 1 << 27;
/// The first layer says which time steps are none.
pub const MASKED: u32 = 1 << 28;
/// The model is an encoder and a decoder.
pub const DECODER: u32 = 1 << 29;
/// A layer reads sequences from their ends.
pub const WHOLE_SEQUENCES: u32 = 1 << 30;
/// A cell with gates has other activations than its kind's defaults.
pub const OTHER_ACTIVATIONS: u32 = 1 << 31;
