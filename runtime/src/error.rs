//! What can be wrong with a model file, a state, or a call.

use crate::format::{DType, VERSION};

/// Everything the runtime refuses, with what it expected and what it found.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Error {
    /// The bytes do not begin with `ERNN`.
    NotAModel,
    /// The file is of a version that this runtime does not read.
    Version {
        /// Version in the file.
        found: u16,
    },
    /// The bytes end before the file does.
    Truncated {
        /// Bytes that the file has by its own account.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// The bytes do not start at a multiple of 4; [`include_model!`](crate::include_model) places them well.
    Misaligned,
    /// The CRC-32 in the file is not that of its bytes.
    Checksum {
        /// CRC-32 in the file.
        expected: u32,
        /// CRC-32 of the bytes.
        found: u32,
    },
    /// The model's numbers are of another kind than the caller's `Model<N>`.
    WrongDType {
        /// Kind the caller asked for.
        expected: DType,
        /// Code in the file: see FORMAT.md.
        found: u8,
    },
    /// A section lies outside the file or has the wrong length.
    Section {
        /// Name of the section.
        name: &'static str,
    },
    /// A layer this build cannot run, or that does not fit its neighbours.
    Layer {
        /// Place of the layer, from 0.
        index: u16,
        /// What is wrong with it.
        reason: LayerFault,
    },
    /// The memory given is smaller than [`ram_needed`](crate::ram_needed).
    RamTooSmall {
        /// Bytes needed.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// An input of the wrong length.
    InputLength {
        /// Values expected; for a sequence, a multiple of this.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// An output buffer of the wrong length.
    OutputLength {
        /// Values expected.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// An id that an Embedding has no weights for.
    Id {
        /// Which of the ids given, from 0.
        index: usize,
        /// Ids there are: the first that is too large.
        input_dim: u32,
    },
    /// A single step of a model that reads sequences from their ends; [`run`](crate::Model::run) takes whole ones.
    WholeSequence,
    /// The model has no decoder and takes no ids, so that no answer can be fed back.
    NoFeedback,
    /// No recurrent layer has this index, or its states have other sizes.
    NoState {
        /// Index of the layer.
        layer: usize,
    },
    /// The state belongs to another model.
    ForeignState,
    /// The saved state is damaged, cut short or of another version.
    BadSavedState,
    /// The buffer for a saved state is too small.
    BufferTooSmall {
        /// Bytes needed.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// The golden trace in the file gave another answer on this machine.
    SelfTest {
        /// First output value that differs.
        index: usize,
    },
}

/// Why a layer was refused.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum LayerFault {
    /// Unknown kind, or a kind or another feature left out of this build's set.
    Kind,
    /// An activation this layer does not have.
    Activation,
    /// Reserved bits or fields are in use.
    Reserved,
    /// A scale or shift outside its range.
    Scale,
    /// A size of zero, or sizes too large to count.
    Size,
    /// Its input is not as long as the output of the layer before.
    InputSize,
    /// Its weights are not as long as its sizes say.
    Weights,
    /// It stands in a place where this kind cannot stand.
    Place,
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match *self {
            Error::NotAModel => write!(f, "not a model file: it does not begin with ERNN"),
            Error::Version { found } => {
                write!(f, "model file of version {found}, this build reads {VERSION}")
            }
            Error::Truncated { expected, found } => {
                write!(f, "model file cut short: {found} bytes of {expected}")
            }
            Error::Misaligned => write!(f, "model bytes not aligned to 4"),
            Error::Checksum { expected, found } => {
                write!(f, "model file damaged: CRC-32 {found:08x}, should be {expected:08x}")
            }
            Error::WrongDType { expected, found } => {
                write!(f, "model of number kind {found}, asked for {} ({expected:?})", expected as u8)
            }
            Error::Section { name } => write!(f, "section {name} of the model file does not fit"),
            Error::Layer { index, reason } => write!(f, "layer {index}: {}", reason.text()),
            Error::RamTooSmall { expected, found } => write!(f, "{found} bytes of RAM, {expected} needed"),
            Error::InputLength { expected, found } => {
                write!(f, "input of {found} values, {expected} a step expected")
            }
            Error::OutputLength { expected, found } => {
                write!(f, "output of {found} values, {expected} expected")
            }
            Error::Id { index, input_dim } => {
                write!(f, "id {index} of those given is not one of 0 to {}", input_dim.saturating_sub(1))
            }
            Error::WholeSequence => write!(f, "the model reads whole sequences, not single steps"),
            Error::NoFeedback => write!(f, "the model does not take its own answers"),
            Error::NoState { layer } => write!(f, "layer {layer} has no state of these sizes"),
            Error::ForeignState => write!(f, "state of another model"),
            Error::BadSavedState => write!(f, "saved state is damaged or of another version"),
            Error::BufferTooSmall { expected, found } => {
                write!(f, "buffer of {found} bytes, {expected} needed")
            }
            Error::SelfTest { index } => write!(f, "self test: output {index} differs from the golden trace"),
        }
    }
}

impl LayerFault {
    fn text(self) -> &'static str {
        match self {
            LayerFault::Kind => "unknown kind, or a kind or feature left out of this build",
            LayerFault::Activation => "activation that this layer does not have",
            LayerFault::Reserved => "reserved fields in use",
            LayerFault::Scale => "scale or shift out of range",
            LayerFault::Size => "size of zero or too large",
            LayerFault::InputSize => "input size differs from the output of the layer before",
            LayerFault::Weights => "weights not as long as the sizes say",
            LayerFault::Place => "this kind cannot stand here",
        }
    }
}

impl core::error::Error for Error {}
