//! The model file: one read-only blob, used in place. FORMAT.md describes it byte by byte.
//!
//! `preamble` is what every reader needs first, `record` the table of layers, `header` the names (postcard).

mod crc;
pub(crate) mod facts;
pub(crate) mod features;
pub mod header;
pub(crate) mod labels;
mod preamble;
mod record;

pub(crate) use crc::crc32;
#[cfg(feature = "std")]
pub(crate) use facts::file_len;
pub use facts::{dtype, input_size, output_scale, output_size, run_output_len, saved_len};
pub use preamble::{PREAMBLE_LEN, Preamble};
pub use record::{
    Activation, DIRECTION, GO_BACKWARDS, LayerRecord, MASKS, MergeMode, RECORD_LEN, RETURN_SEQUENCES,
};

/// First four bytes of a model file.
pub const MAGIC: [u8; 4] = *b"ERNN";
/// The version this runtime reads and writes.
pub const VERSION: u16 = 1;
/// Alignment that makes every section of a model fall on a cache-line-friendly place; 4 is the least that works.
pub const ALIGN: usize = 32;

/// The kind of numbers a model is made of.
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
    /// The kind whose code is `code`.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(DType::F32),
            1 => Some(DType::F16),
            2 => Some(DType::I8),
            _ => None,
        }
    }
}

/// Bytes of RAM that a state of this model needs: the model's own word for it, readable at compile time.
///
/// `bytes` is a whole model file. Anything that is not one needs 0 bytes, and
/// [`Model::new`](crate::Model::new) then says what is wrong with it. A model that reads sequences from their ends needs
/// [`ram_needed_for`] the longest.
pub const fn ram_needed(bytes: &[u8]) -> usize {
    preamble::u32_at(bytes, preamble::RAM_NEEDED_AT) as usize
}

/// Bytes of RAM that a state of this model needs for sequences of up to `steps` time steps in one call of
/// [`run`](crate::Model::run): more than [`ram_needed`] if a layer reads sequences from their ends, else the same.
pub const fn ram_needed_for(bytes: &[u8], steps: usize) -> usize {
    let a_step = preamble::u32_at(bytes, preamble::RAM_A_STEP_AT) as usize;
    ram_needed(bytes).saturating_add(a_step.saturating_mul(steps))
}

/// What this model needs of the runtime, as `Model`'s last parameter takes it: a build then links nothing else.
pub const fn features(bytes: &[u8]) -> u32 {
    preamble::u32_at(bytes, preamble::FEATURES_AT)
}

/// Whether these bytes begin like a model file of this version.
pub const fn is_model(bytes: &[u8]) -> bool {
    bytes.len() >= PREAMBLE_LEN
        && preamble::u32_at(bytes, 0) == u32::from_le_bytes(MAGIC)
        && preamble::u32_at(bytes, 4) & 0xffff == VERSION as u32
}

/// CRC-32 (ISO-HDLC, the one of zlib and Ethernet) of a model file, its own field left out.
pub fn checksum(bytes: &[u8]) -> u32 {
    let before = bytes.get(..preamble::CRC_AT).unwrap_or(bytes);
    crc32(&[before, bytes.get(preamble::CRC_AT + 4..).unwrap_or_default()])
}
