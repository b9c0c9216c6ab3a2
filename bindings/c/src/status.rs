//! Error codes and their texts.

use core::ffi::{CStr, c_char, c_int};
use embedded_rnn::Error;

/// Result of a call: `ERNN_OK`, or the reason why it was rejected. A rejected call changes nothing but the
/// buffers that it was to fill.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ernn_status_t {
    /// Success.
    ERNN_OK = 0,
    /// A pointer is null.
    ERNN_ERROR_NULL = 1,
    /// A pointer is not aligned for its type, or the model's bytes or the RAM are not aligned to 4.
    ERNN_ERROR_ALIGNMENT = 2,
    /// A buffer overlaps one that the call writes.
    ERNN_ERROR_OVERLAP = 3,
    /// A handle was not initialized.
    ERNN_ERROR_HANDLE = 4,
    /// The bytes are not a model file.
    ERNN_ERROR_NOT_A_MODEL = 5,
    /// The model file has another version than this library reads.
    ERNN_ERROR_VERSION = 6,
    /// The bytes end before the model file does.
    ERNN_ERROR_TRUNCATED = 7,
    /// The CRC-32 of the model file is wrong.
    ERNN_ERROR_CHECKSUM = 8,
    /// The model has another dtype than the function, or one that is not linked.
    ERNN_ERROR_DTYPE = 9,
    /// A section or a layer of the model file is invalid, or of a kind that is not linked.
    ERNN_ERROR_LAYER = 10,
    /// The RAM is too small for the state, or for a sequence of this length.
    ERNN_ERROR_RAM = 11,
    /// The input has the wrong length.
    ERNN_ERROR_INPUT_LENGTH = 12,
    /// The output has the wrong length.
    ERNN_ERROR_OUTPUT_LENGTH = 13,
    /// An id is out of range.
    ERNN_ERROR_ID = 14,
    /// The model runs whole sequences, not single steps.
    ERNN_ERROR_WHOLE_SEQUENCE = 15,
    /// The model cannot generate.
    ERNN_ERROR_NO_DECODER = 16,
    /// The state belongs to another model.
    ERNN_ERROR_FOREIGN_STATE = 17,
    /// The saved state is damaged or of another version.
    ERNN_ERROR_SAVED_STATE = 18,
    /// The buffer is too small.
    ERNN_ERROR_BUFFER = 19,
    /// The golden trace has another output on this machine.
    ERNN_ERROR_SELF_TEST = 20,
    /// There is no such label.
    ERNN_ERROR_NO_LABEL = 21,
    /// Any other reason.
    ERNN_ERROR_OTHER = 22,
}

use ernn_status_t::*;

/// The texts, in the order of the codes.
const TEXTS: [&CStr; 23] = [
    c"success",
    c"a pointer is null",
    c"a pointer is not aligned",
    c"buffers overlap",
    c"a handle was not initialized",
    c"not a model file",
    c"model file of another version",
    c"model file truncated",
    c"model file damaged: wrong CRC-32",
    c"model of another dtype, or of one that is not linked",
    c"model file with an invalid layer or section, or a layer that is not linked",
    c"RAM too small",
    c"input of the wrong length",
    c"output of the wrong length",
    c"id out of range",
    c"the model runs whole sequences, not single steps",
    c"the model cannot generate",
    c"state of another model",
    c"saved state damaged or of another version",
    c"buffer too small",
    c"self test: an output differs from the golden trace",
    c"no such label",
    c"rejected",
];

/// Returns the text of a status, in English, as a string that always exists.
#[unsafe(no_mangle)]
pub extern "C" fn ernn_strerror(status: c_int) -> *const c_char {
    let text = usize::try_from(status).ok().and_then(|status| TEXTS.get(status));
    text.map_or(c"unknown status", |text| text).as_ptr()
}

impl ernn_status_t {
    /// Returns the status of a result.
    pub(crate) fn of(result: Result<(), Self>) -> Self {
        result.err().unwrap_or(ERNN_OK)
    }
}

impl From<Error> for ernn_status_t {
    fn from(error: Error) -> Self {
        match error {
            Error::NotAModel => ERNN_ERROR_NOT_A_MODEL,
            Error::Version { .. } => ERNN_ERROR_VERSION,
            Error::Truncated { .. } => ERNN_ERROR_TRUNCATED,
            Error::Misaligned => ERNN_ERROR_ALIGNMENT,
            Error::Checksum { .. } => ERNN_ERROR_CHECKSUM,
            Error::WrongDType { .. } => ERNN_ERROR_DTYPE,
            Error::Section { .. } | Error::Layer { .. } => ERNN_ERROR_LAYER,
            Error::RamTooSmall { .. } => ERNN_ERROR_RAM,
            Error::InputLength { .. } => ERNN_ERROR_INPUT_LENGTH,
            Error::OutputLength { .. } => ERNN_ERROR_OUTPUT_LENGTH,
            Error::Id { .. } => ERNN_ERROR_ID,
            Error::WholeSequence => ERNN_ERROR_WHOLE_SEQUENCE,
            Error::NoFeedback => ERNN_ERROR_NO_DECODER,
            Error::ForeignState => ERNN_ERROR_FOREIGN_STATE,
            Error::BadSavedState => ERNN_ERROR_SAVED_STATE,
            Error::BufferTooSmall { .. } => ERNN_ERROR_BUFFER,
            Error::SelfTest { .. } => ERNN_ERROR_SELF_TEST,
            _ => ERNN_ERROR_OTHER,
        }
    }
}
