//! The model file: one read-only blob, used in place. FORMAT.md describes it byte by byte.
//!
//! `preamble` is the fixed start of the file, `record` one row of the table of layers, `header` the names;
//! `constants` are the sizes and fixed-point positions that packer and kernels share.

mod constants;
pub(crate) mod crc;
pub(crate) mod facts;
pub(crate) mod feature_bits;
pub mod header;
pub(crate) mod labels;
pub(crate) mod preamble;
mod record;
pub(crate) mod varint;

pub use constants::*;
pub(crate) use crc::crc32;
#[cfg(feature = "std")]
pub(crate) use facts::file_len;
pub use facts::{dtype, input_size, output_scale, output_size, run_output_len};
pub use preamble::{PREAMBLE_LEN, Preamble};
pub use record::{
    Activation, DIRECTION, GO_BACKWARDS, INITIAL_STATE, LayerRecord, MASKS, MergeMode, RECORD_LEN,
    RETURN_SEQUENCES, SEPARATE_SCALES,
};

/// The first four bytes of a model file.
pub const MAGIC: [u8; 4] = *b"ERNN";
/// The version of the format that this runtime reads.
pub const VERSION: u16 = 2;
/// The alignment of a model's bytes that puts its weights at the start of a cache line; 4 is the least that
/// works.
pub const ALIGN: usize = 64;

/// The largest input size and the most units of a layer. A layer that large has more weights than any file,
/// and every size that follows from it by a few additions and multiplications can be counted in 32 bits.
pub const MAX_SIZE: u32 = (1 << 28) - 1;
/// The most time steps of a golden trace: a self test takes as long as so many steps, whatever the file says.
pub const MAX_GOLDEN_STEPS: u32 = 64;

/// The dtype of a model.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum DType {
    /// Weights, state and arithmetic `f32`.
    F32 = 0,
    /// Weights binary16, state and arithmetic `f32`.
    F16 = 1,
    /// Weights `i8` with a scale per row, state and activations `i16`, integer arithmetic only.
    I8 = 2,
}

impl DType {
    /// Returns the name: `f32`, `f16` or `i8`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            DType::F32 => "f32",
            DType::F16 => "f16",
            DType::I8 => "i8",
        }
    }

    /// Returns the dtype whose code is `code`.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(DType::F32),
            1 => Some(DType::F16),
            2 => Some(DType::I8),
            _ => None,
        }
    }
}

/// Returns the bytes of RAM that a state of this model needs, as its preamble states them; readable at
/// compile time.
///
/// `bytes` is a whole model file. Anything else needs 0 bytes, and [`Model::new`](crate::Model::new) then
/// returns the reason. A model with a layer that runs backwards needs [`ram_needed_for`] the longest
/// sequence.
///
/// ```
/// use embedded_rnn::{include_model, ram_needed};
///
/// const RAM: usize = ram_needed(include_model!("../../tests/data/tiny.ernn"));
/// const _: () = assert!(RAM <= 1024, "the model exceeds the RAM budget");
/// ```
#[must_use]
pub const fn ram_needed(bytes: &[u8]) -> usize {
    preamble::u32_at(bytes, preamble::RAM_NEEDED_AT) as usize
}

/// Returns the bytes of RAM that a state of this model needs for sequences of up to `steps` time steps per
/// call of [`run`](crate::Model::run): more than [`ram_needed`] if a layer runs backwards, else the same.
///
/// ```
/// use embedded_rnn::{I8, Model, Ram, include_model, ram_needed_for};
///
/// static MODEL: &[u8] = include_model!("../../tests/data/bidirectional.i8.ernn");
///
/// let model = Model::<I8>::new(MODEL)?;
/// let mut ram = Ram::<{ ram_needed_for(MODEL, 50) }>::new();
/// let mut state = model.state(&mut ram)?; // for sequences of up to 50 time steps
/// model.run(&mut state, &[100; 2 * 50], &mut [0; 3 * 50])?;
/// # Ok::<(), embedded_rnn::Error>(())
/// ```
#[must_use]
pub const fn ram_needed_for(bytes: &[u8], steps: usize) -> usize {
    let per_step = preamble::u32_at(bytes, preamble::RAM_PER_STEP_AT) as usize;
    ram_needed(bytes).saturating_add(per_step.saturating_mul(steps))
}

/// Returns the set of features that this model asks for, the last parameter of [`Model`](crate::Model): a
/// build then links nothing else.
///
/// ```
/// use embedded_rnn::{F32, Model, features, include_model};
///
/// static MODEL: &[u8] = include_model!("../../tests/data/tiny.ernn");
///
/// let model = Model::<F32, { features(MODEL) }>::new(MODEL)?; // links the code of an LSTM alone
/// # Ok::<(), embedded_rnn::Error>(())
/// ```
#[must_use]
pub const fn features(bytes: &[u8]) -> u32 {
    preamble::u32_at(bytes, preamble::FEATURES_AT)
}

/// Returns `true` if these bytes begin like a model file of this version.
///
/// ```
/// use embedded_rnn::is_model;
///
/// assert!(is_model(include_bytes!("../../tests/data/tiny.ernn")));
/// assert!(!is_model(b"ERNN"));
/// ```
#[must_use]
pub const fn is_model(bytes: &[u8]) -> bool {
    bytes.len() >= PREAMBLE_LEN
        && preamble::u32_at(bytes, 0) == u32::from_le_bytes(MAGIC)
        && preamble::u32_at(bytes, 4) & 0xffff == VERSION as u32
}

/// Computes the CRC-32 (ISO-HDLC, that of zlib and Ethernet) of a model file, its own field left out.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u32 {
    let before = bytes.get(..preamble::CRC_AT).unwrap_or(bytes);
    crc32(&[before, bytes.get(preamble::CRC_AT + 4..).unwrap_or_default()])
}
