//! Facts of a model file that a build reads from its bytes: the dtype and sizes.

use super::preamble::{Preamble, u32_at};
use super::{DType, LayerRecord, PREAMBLE_LEN, RECORD_LEN};
use core::mem::offset_of;

/// Reads the dtype of a model file; `None` if the bytes are too short or the code is unknown.
///
/// ```
/// use embedded_rnn::{DType, dtype, include_model};
///
/// assert_eq!(dtype(include_model!("../../tests/data/tiny.i8.ernn")), Some(DType::I8));
/// assert_eq!(dtype(b"ERNN"), None);
/// ```
pub const fn dtype(bytes: &[u8]) -> Option<DType> {
    let at = offset_of!(Preamble, dtype);
    if bytes.len() <= at { None } else { DType::from_code(bytes[at]) }
}

/// Reads the bytes that a model file declares to have; 0 if the bytes do not begin as one.
#[cfg(feature = "std")]
pub const fn file_len(bytes: &[u8]) -> usize {
    let begins = bytes.len() >= PREAMBLE_LEN && u32_at(bytes, 0) == u32::from_le_bytes(super::MAGIC);
    if begins { u32_at(bytes, offset_of!(Preamble, file_len)) as usize } else { 0 }
}

/// Reads the number of features of a time step; 0 if the bytes are not a model file.
pub const fn input_size(bytes: &[u8]) -> usize {
    u32_at(bytes, offset_of!(Preamble, input_size)) as usize
}

/// Reads the number of values of an output; 0 if the bytes are not a model file.
pub const fn output_size(bytes: &[u8]) -> usize {
    u32_at(bytes, offset_of!(Preamble, output_size)) as usize
}

/// Reads the real value of one unit of the output; 1 in float models.
pub const fn output_scale(bytes: &[u8]) -> f32 {
    f32::from_bits(u32_at(bytes, offset_of!(Preamble, output_scale)))
}

/// Computes the number of values that [`Model::run`](crate::Model::run) has as output for `steps` time steps:
/// [`Model::run_output_len`](crate::Model::run_output_len).
pub const fn run_output_len(bytes: &[u8], steps: usize) -> usize {
    let has_decoder = u32_at(bytes, offset_of!(Preamble, decoder_at)) != 0;
    let at = offset_of!(Preamble, flags);
    let returns_sequences = bytes.len() > at && bytes[at] & 1 != 0;
    match (has_decoder, returns_sequences) {
        (true, _) => 0,
        (_, true) => steps.saturating_mul(output_size(bytes)),
        (_, false) => output_size(bytes),
    }
}

/// Counts the layer records that the bytes have room for.
pub const fn layer_count(bytes: &[u8]) -> usize {
    let room = bytes.len().saturating_sub(PREAMBLE_LEN) / RECORD_LEN;
    let count = u32_at(bytes, offset_of!(Preamble, layer_count)) as usize;
    if count < room { count } else { room }
}

/// Reads the kind, the units and the bytes of weights of a layer, whose index is below [`layer_count`].
pub const fn layer(bytes: &[u8], index: usize) -> (u8, usize, u64) {
    let at = PREAMBLE_LEN + index * RECORD_LEN;
    let units = u32_at(bytes, at + offset_of!(LayerRecord, units));
    let weights_len = u32_at(bytes, at + offset_of!(LayerRecord, weights_len));
    // The first byte of a word, as an index would be a panic that no caller of `saved_len` can exclude.
    let kind = u32_at(bytes, at + offset_of!(LayerRecord, kind)) as u8;
    (kind, units as usize, weights_len as u64)
}
