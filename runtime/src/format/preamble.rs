//! The fixed part at the start of a model file.

use super::{DType, MAGIC, VERSION};
use bytemuck::{Pod, Zeroable};

/// The bytes of the preamble; the layer records follow.
pub const PREAMBLE_LEN: usize = size_of::<Preamble>();
pub(crate) const CRC_AT: usize = core::mem::offset_of!(Preamble, crc32);
pub(super) const RAM_NEEDED_AT: usize = core::mem::offset_of!(Preamble, ram_needed);
pub(super) const FEATURES_AT: usize = core::mem::offset_of!(Preamble, features);
pub(super) const RAM_PER_STEP_AT: usize = core::mem::offset_of!(Preamble, ram_per_step);

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
    /// 1 if the model gives an output at every time step, 0 if after the last one. No other bit is in use.
    pub flags: u8,
    /// Bytes of the whole file.
    pub file_len: u32,
    /// CRC-32 of the file without this field.
    pub crc32: u32,
    /// Bytes of RAM that a state needs.
    pub ram_needed: u32,
    /// The features that a runtime must contain to run it: bit `k` is set if a layer of kind code `k` is in
    /// the file; FORMAT.md lists the highest bits.
    pub features: u32,
    /// Input values per time step.
    pub input_size: u32,
    /// Values of an output.
    pub output_size: u32,
    /// Layer records, from [`PREAMBLE_LEN`] on.
    pub layer_count: u32,
    /// Offset of the weights; a multiple of 64 in files of this packer.
    pub weights_at: u32,
    /// Bytes of weights, the sum of the layers'.
    pub weights_len: u32,
    /// Offset of the golden trace: inputs of `golden_steps` steps, then the output after the last.
    pub golden_at: u32,
    /// Time steps of the golden trace.
    pub golden_steps: u32,
    /// Offset of the header.
    pub header_at: u32,
    /// Bytes of the header; it ends the file.
    pub header_len: u32,
    /// Real value of one unit of the integer input after its normalization; 1 in float models.
    pub input_scale: f32,
    /// Real value of one unit of the output; 1 in float models.
    pub output_scale: f32,
    /// Largest difference from the golden output that passes in a float model; 0 in integer models.
    pub golden_tolerance: f32,
    /// Bytes of RAM per time step of a sequence beside `ram_needed`; 0 in models that run step by step.
    pub ram_per_step: u32,
    /// Index of the first layer of the decoder; 0 in models without one.
    pub decoder_at: u32,
}

impl Preamble {
    /// Returns a preamble of this version with everything else zero.
    pub fn new(dtype: DType) -> Self {
        Preamble { magic: MAGIC, version: VERSION, dtype: dtype as u8, ..Zeroable::zeroed() }
    }
}

/// Returns the little-endian word at `at`; 0 if the bytes end before it.
pub(crate) const fn u32_at(bytes: &[u8], at: usize) -> u32 {
    // `bytes.len() < at + 4` would leave a panic for a sum that wraps.
    let Some((_, rest)) = bytes.split_at_checked(at) else { return 0 };
    match rest.first_chunk() {
        Some(word) => u32::from_le_bytes(*word),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_not_all_there_is_0() {
        let bytes = [1; 8];
        assert_eq!([0, 4].map(|at| u32_at(&bytes, at)), [0x0101_0101; 2]);
        assert_eq!([5, 8, usize::MAX - 3, usize::MAX].map(|at| u32_at(&bytes, at)), [0; 4]);
    }
}
