//! Facts of a model file that a build reads from its bytes: sizes, the dtype, labels, and validation of what
//! needs no layer.

use super::crc::crc32_in_const;
use super::preamble::{CRC_AT, Preamble, u32_at};
use super::{DType, LayerRecord, MAGIC, PREAMBLE_LEN, RECORD_LEN, VERSION};
use crate::isa::LANES;
use crate::layers::{ALL_FEATURES, Kind, quads};
use crate::state::SAVED_OVERHEAD;
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
    let begins = bytes.len() >= PREAMBLE_LEN && u32_at(bytes, 0) == u32::from_le_bytes(MAGIC);
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

/// Computes the most bytes that a saved state of this model has: the length of the buffer for
/// [`State::save`](crate::State::save).
///
/// ```
/// use embedded_rnn::{F32, Model, Ram, include_model, ram_needed, saved_len};
///
/// static MODEL: &[u8] = include_model!("../../tests/data/tiny.ernn");
///
/// let model = Model::<F32>::new(MODEL)?;
/// let mut ram = Ram::<{ ram_needed(MODEL) }>::new();
/// let mut state = model.state(&mut ram)?;
/// model.step(&mut state, &[0.5, -0.25])?;
///
/// let mut buffer = [0; saved_len(MODEL)];
/// let saved = state.save(&model, &mut buffer)?;
/// state.reset();
/// state.restore(&model, saved)?; // the sequence goes on where it was
/// # Ok::<(), embedded_rnn::Error>(())
/// ```
pub const fn saved_len(bytes: &[u8]) -> usize {
    let integers = matches!(dtype(bytes), Some(DType::I8));
    let mut words = 0;
    let mut layer = 0;
    while layer < layer_count(bytes) {
        let at = PREAMBLE_LEN + layer * RECORD_LEN;
        let units = u32_at(bytes, at + offset_of!(LayerRecord, units)) as usize;
        words += state_words(bytes[at + offset_of!(LayerRecord, kind)], units, integers);
        layer += 1;
    }
    SAVED_OVERHEAD + 4 * words
}

/// Counts the words of `h` and `c` that a layer leaves behind, as its `Layer::state` places them.
const fn state_words(kind: u8, units: usize, integers: bool) -> usize {
    const LSTM: u8 = Kind::Lstm as u8;
    const GRU: u8 = Kind::Gru as u8;
    const GRU_RESET_BEFORE: u8 = Kind::GruResetBefore as u8;
    const SIMPLE_RNN: u8 = Kind::SimpleRnn as u8;
    let (h, c) = if integers {
        (quads(units) / 2, units)
    } else {
        let padded = units.next_multiple_of(LANES);
        (padded, padded)
    };
    match kind {
        LSTM => h + c,
        GRU | GRU_RESET_BEFORE | SIMPLE_RNN => h,
        _ => 0,
    }
}

/// Counts the layer records that the bytes have room for.
const fn layer_count(bytes: &[u8]) -> usize {
    let room = bytes.len().saturating_sub(PREAMBLE_LEN) / RECORD_LEN;
    let count = u32_at(bytes, offset_of!(Preamble, layer_count)) as usize;
    if count < room { count } else { room }
}

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
    } else if super::features(bytes) & !ALL_FEATURES != 0 {
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
    while layer < layer_count(bytes) {
        let at = PREAMBLE_LEN + layer * RECORD_LEN + offset_of!(LayerRecord, weights_len);
        weights += u32_at(bytes, at) as u64;
        layer += 1;
    }
    weights == weights_len
}
