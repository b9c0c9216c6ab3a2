//! Values that only a packer of model files computes: those of the preamble that follow from the rest of the
//! file.

use core::mem::offset_of;

use crate::format::preamble::{CRC_AT, u32_at};
use crate::format::{LayerRecord, Preamble, checksum};
use crate::layers::ALL_FEATURES;
use crate::model::{Sizes, feature_bits};
use crate::number::Number;

/// The preamble's values that follow from the table of layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// [`Preamble::ram_needed`](crate::format::Preamble::ram_needed)
    pub ram_needed: usize,
    /// [`Preamble::ram_per_step`](crate::format::Preamble::ram_per_step)
    pub ram_per_step: usize,
    /// [`Preamble::features`](crate::format::Preamble::features)
    pub features: u32,
}

/// Computes the needs of layers, of which those from `decoder_at` on are a decoder unless it is 0; `None` if
/// they are too large to count.
pub fn needs<N: Number>(layers: &[LayerRecord], decoder_at: usize) -> Option<Needs> {
    let sizes = Sizes::of::<N, ALL_FEATURES>(layers, decoder_at)?;
    Some(Needs {
        ram_needed: sizes.ram()?,
        ram_per_step: sizes.ram_per_step()?,
        features: feature_bits::<N, ALL_FEATURES>(layers, decoder_at),
    })
}

/// Writes the CRC-32 of a file whose other bytes are final. It is that of the bytes that the preamble counts,
/// or of all if there are fewer.
pub fn seal(file: &mut [u8]) {
    let len = u32_at(file, offset_of!(Preamble, file_len)) as usize;
    let crc = checksum(file.get(..len).unwrap_or(file)).to_le_bytes();
    if let Some(field) = file.get_mut(CRC_AT..).and_then(<[u8]>::first_chunk_mut) {
        *field = crc;
    }
}
