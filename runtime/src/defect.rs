//! Validation of a model file while a program is built, as far as it needs no layer.

use crate::format::crc::crc32_in_const;
use crate::format::preamble::{CRC_AT, Preamble, u32_at};
use crate::format::{MAGIC, PREAMBLE_LEN, RECORD_LEN, VERSION, dtype, facts, features};
use crate::layers::ALL_FEATURES;
use core::mem::offset_of;

/// Defects of a model file that stop a build.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    NotAModel,
    Version,
    DType,
    Truncated,
    Features,
    Sections,
    Checksum,
}

/// The largest file whose CRC-32 a build computes: the compiler takes 7 seconds per megabyte (rustc 1.95,
/// 2026-11).
const CHECKSUM_LIMIT: usize = 256 << 10;

/// Finds what is wrong with a model file as far as a build can see it. The layers, and the CRC-32 of a file
/// beyond [`CHECKSUM_LIMIT`], remain for [`Model::new`](crate::Model::new).
#[doc(hidden)]
pub const fn defect(bytes: &[u8]) -> Option<Defect> {
    let file_len = u32_at(bytes, offset_of!(Preamble, file_len)) as usize;
    if bytes.len() < 4 || u32_at(bytes, 0) != u32::from_le_bytes(MAGIC) {
        Some(Defect::NotAModel)
    } else if bytes.len() < PREAMBLE_LEN || bytes.len() < file_len {
        Some(Defect::Truncated)
    } else if u32_at(bytes, 4) & 0xffff != VERSION as u32 {
        Some(Defect::Version)
    } else if dtype(bytes).is_none() {
        Some(Defect::DType)
    } else if features(bytes) & !ALL_FEATURES != 0 {
        Some(Defect::Features)
    } else if !sections_fit(bytes, file_len) {
        Some(Defect::Sections)
    } else if file_len <= CHECKSUM_LIMIT
        && crc32_in_const(bytes.split_at(file_len).0, CRC_AT) != u32_at(bytes, CRC_AT)
    {
        Some(Defect::Checksum)
    } else {
        None
    }
}

/// Returns `true` if the sections lie within the file and the weights of the layers fill theirs.
const fn sections_fit(bytes: &[u8], file_len: usize) -> bool {
    let records = u32_at(bytes, offset_of!(Preamble, layer_count)) as u64 * RECORD_LEN as u64;
    let weights_len = u32_at(bytes, offset_of!(Preamble, weights_len)) as u64;
    let weights_end = u32_at(bytes, offset_of!(Preamble, weights_at)) as u64 + weights_len;
    let golden_at = u32_at(bytes, offset_of!(Preamble, golden_at)) as u64;
    let header_len = u32_at(bytes, offset_of!(Preamble, header_len)) as u64;
    let header_end = u32_at(bytes, offset_of!(Preamble, header_at)) as u64 + header_len;
    let end = file_len as u64;
    if PREAMBLE_LEN as u64 + records > end || weights_end > end || golden_at > end || header_end > end {
        return false;
    }
    let mut weights = 0;
    let mut layer = 0;
    while layer < facts::layer_count(bytes) {
        weights += facts::layer(bytes, layer).2;
        layer += 1;
    }
    weights == weights_len
}
