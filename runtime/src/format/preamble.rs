//! The fixed part at the start of a model file.

use super::{DType, MAGIC, VERSION};
use bytemuck::{Pod, Zeroable};

/// Bytes of the preamble; the layer records follow.
pub const PREAMBLE_LEN: usize = size_of::<Preamble>();
pub(super) const CRC_AT: usize = core::mem::offset_of!(Preamble, crc32);
pub(super) const RAM_NEEDED_AT: usize = core::mem::offset_of!(Preamble, ram_needed);
pub(super) const FEATURES_AT: usize = core::mem::offset_of!(Preamble, features);
pub(super) const RAM_A_STEP_AT: usize = core::mem::offset_of!(Preamble, ram_a_step);

/// The first [`PREAMBLE_LEN`] bytes, little-endian. Offsets count from the start of the file.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Preamble {
    /// `ERNN`.
    pub magic: [u8; 4],
    /// [`VERSION`].
    pub version: u16,
    /// Code of the [`DType`].
    pub dtype: u8,
    /// 1 if the model answers at every time step, 0 if after the last one. No other bit is in use.
    pub flags: u8,
    /// Bytes of the whole file.
    pub file_len: u32,
    /// CRC-32 of the file without this field.
    pub crc32: u32,
    /// Bytes of RAM a state needs.
    pub ram_needed: u32,
    /// What a runtime must have to run it: bit `k` is set if a layer of kind code `k` is in the file; the highest bits are
    /// those of [`features`](super::features).
    pub features: u32,
    /// Features of a time step.
    pub input_size: u32,
    /// Values of an answer.
    pub output_size: u32,
    /// Layer records, from [`PREAMBLE_LEN`] on.
    pub layer_count: u32,
    /// Where the weights start; a multiple of 32.
    pub weights_at: u32,
    /// Bytes of weights, the sum of the layers'.
    pub weights_len: u32,
    /// Where the golden trace starts: inputs of `golden_steps` steps, then the answer after the last.
    pub golden_at: u32,
    /// Time steps of the golden trace.
    pub golden_steps: u32,
    /// Where the postcard header starts.
    pub header_at: u32,
    /// Bytes of the postcard header; it ends the file.
    pub header_len: u32,
    /// Real value of one unit of the integer input after its normalization; 1 in float models.
    pub input_scale: f32,
    /// Real value of one unit of the output; 1 in float models.
    pub output_scale: f32,
    /// Largest difference from the golden answer that a float build may show; 0 in integer models.
    pub golden_tolerance: f32,
    /// Bytes of RAM that every time step of a sequence needs beside `ram_needed`; 0 in models that go step by step.
    pub ram_a_step: u32,
    /// Index of the first layer of the decoder; 0 in models without one.
    pub decoder_at: u32,
}

impl Preamble {
    /// A preamble of this version with everything else zero.
    pub fn new(dtype: DType) -> Self {
        Preamble { magic: MAGIC, version: VERSION, dtype: dtype as u8, ..Zeroable::zeroed() }
    }
}

/// The little-endian word at `at`; 0 where there is none.
pub(super) const fn u32_at(bytes: &[u8], at: usize) -> u32 {
    if bytes.len() < at + 4 {
        return 0;
    }
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
