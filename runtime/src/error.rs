//! Errors of a model file, of a state, or of a call.

use crate::format::{DType, VERSION};

/// The reason why the runtime rejects a file, a state or a call, with the expected and the found value.
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
        /// Bytes of the file according to its preamble.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// The bytes do not start at a multiple of 4; [`include_model!`](crate::include_model) aligns them.
    Misaligned,
    /// The CRC-32 in the file is not that of its bytes.
    Checksum {
        /// CRC-32 in the file.
        expected: u32,
        /// CRC-32 of the bytes.
        found: u32,
    },
    /// The model has another dtype than the caller's `Model<N>`.
    WrongDType {
        /// The dtype that the caller asked for.
        expected: DType,
        /// The dtype's code in the file; [`DType::from_code`] decodes it.
        found: u8,
    },
    /// A section lies outside the file or has the wrong length.
    Section {
        /// Name of the section.
        name: &'static str,
    },
    /// A layer that this build cannot run, or that does not fit its neighbors.
    Layer {
        /// Index of the layer, from 0.
        index: u16,
        /// The rule that it breaks.
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
        /// Index of the id among those given, from 0.
        index: usize,
        /// Number of ids: the first one that is too large.
        input_dim: u32,
    },
    /// A single step of a model with a layer that runs backwards; [`run`](crate::Model::run) takes whole
    /// sequences.
    WholeSequence,
    /// The model has no decoder, and its inputs are no ids: its outputs cannot be its inputs.
    NoFeedback,
    /// No recurrent layer has this index, or its states have other sizes.
    NoState {
        /// Index of the layer.
        layer: usize,
    },
    /// The state belongs to another model.
    ForeignState,
    /// The saved state is damaged, truncated or of another version.
    BadSavedState,
    /// The buffer for a saved state is too small.
    BufferTooSmall {
        /// Bytes needed.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// The golden trace in the file has another output on this machine.
    SelfTest {
        /// Index of the first output value that differs.
        index: usize,
    },
}

/// The rule that a rejected layer breaks.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum LayerFault {
    /// An unknown kind, or a kind or another feature that this build does not contain.
    Kind,
    /// An activation that this kind does not have.
    Activation,
    /// Reserved bits or fields are in use.
    Reserved,
    /// A scale or shift outside its range.
    Scale,
    /// A size of zero, or sizes too large to count.
    Size,
    /// The input size differs from the size of the output before.
    InputSize,
    /// The length of the weights does not follow from the sizes.
    Weights,
    /// This kind cannot stand at this index.
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
                write!(f, "model file truncated: {found} bytes of {expected}")
            }
            Error::Misaligned => write!(f, "model bytes not aligned to 4"),
            Error::Checksum { expected, found } => {
                write!(f, "model file damaged: CRC-32 {found:08x}, expected {expected:08x}")
            }
            Error::WrongDType { expected, found } => match DType::from_code(found) {
                Some(found) => write!(f, "model of dtype {}, expected {}", found.name(), expected.name()),
                None => write!(f, "model of unknown dtype {found}, expected {}", expected.name()),
            },
            Error::Section { name } => write!(f, "section {name} of the model file does not fit"),
            Error::Layer { index, reason } => write!(f, "layer {index}: {}", reason.text()),
            Error::RamTooSmall { expected, found } => write!(f, "{found} bytes of RAM, {expected} needed"),
            Error::InputLength { expected, found } => {
                write!(f, "input of {found} values, {expected} per step expected")
            }
            Error::OutputLength { expected, found } => {
                write!(f, "output of {found} values, {expected} expected")
            }
            Error::Id { index, input_dim } => {
                write!(f, "id {index} of those given is not one of 0 to {}", input_dim.saturating_sub(1))
            }
            Error::WholeSequence => write!(f, "the model runs whole sequences, not single steps"),
            Error::NoFeedback => write!(f, "the model cannot take its outputs as inputs"),
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
            LayerFault::Kind => "unknown kind, or a kind or feature that this build does not contain",
            LayerFault::Activation => "activation that this layer does not have",
            LayerFault::Reserved => "reserved fields in use",
            LayerFault::Scale => "scale or shift out of range",
            LayerFault::Size => "size of zero or too large",
            LayerFault::InputSize => "input size differs from the size of the output before",
            LayerFault::Weights => "length of the weights does not follow from the sizes",
            LayerFault::Place => "this kind cannot stand here",
        }
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_dtype_is_named() {
        let text = |found| Error::WrongDType { expected: DType::F32, found }.to_string();
        assert_eq!(text(DType::I8 as u8), "model of dtype i8, expected f32");
        assert_eq!(text(255), "model of unknown dtype 255, expected f32");
    }
}
