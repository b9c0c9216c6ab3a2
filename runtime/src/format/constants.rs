//! Sizes and fixed-point positions that the packer and the kernels must agree on. FORMAT.md and INTEGER.md
//! explain each; a change of any of them is a new [`VERSION`](super::VERSION).

use super::Activation;

/// Units of a panel: float weights lie in groups of eight units, gate by gate. Eight is the number of `f32`
/// in an AVX2 register, and two gates of eight fill half of the registers of a Cortex-M4's FPU.
pub const LANES: usize = 8;

/// Rows of a block: integer weights lie in groups of four rows, which are the four gates of an LSTM's unit or
/// the rows of four units of any other layer.
pub const BLOCK_ROWS: usize = 4;

/// Weights of a word: four `i8`, so a row and its activations are filled up to a multiple of four.
pub const WEIGHTS_PER_WORD: usize = 4;

/// Fraction bits of a pre-activation whose function is a table: with them tanh saturates at 8, or 2^19.
pub const PRE_FRAC: u32 = 16;

/// Fraction bits of a wide pre-activation, one that can be too large for [`PRE_FRAC`]: tanh and sigmoid of
/// unscaled inputs of up to 30,000 and more.
pub const WIDE_FRAC: u32 = 12;

/// Least number of fraction bits of an integer activation, whose full scale is `2^frac` units.
pub const MIN_FRAC: u32 = 8;

/// Largest number of fraction bits of an integer activation: the full scale itself fits an `i16`.
pub const MAX_FRAC: u32 = 14;

/// Largest number of fraction bits of a normalized integer input.
pub const MAX_INPUT_FRAC: u32 = 15;

/// Fraction bits of the state that an integer GRU carries from step to step.
pub const STATE_FRAC: u32 = 15;

/// Fraction bits of the pre-activation of a linear or relu unit, in the full scale of its output.
pub const LINEAR_FRAC: u32 = 19;

/// Bits of a weight's byte: a sum of products has so many more fraction bits than weights and activations.
pub const BYTE_BITS: u32 = 8;

/// The magnitude at which the cell state saturates, so that `f c + i g` stays below 2^31.
pub const CELL_LIMIT: i32 = 1 << 30;

/// Largest number of fraction bits of a cell state: a range of +-2 full scales.
pub const MAX_CELL_FRAC: u32 = 29;

/// Returns the least number of fraction bits of a cell state whose activation has this code: the state is
/// shifted down to the pre-activation of its activation, never up. For tanh that is a range of +-4,096 full
/// scales.
pub const fn min_cell_frac(activation: u8) -> u32 {
    match Activation::from_code(activation) {
        Some(Activation::Relu | Activation::Linear) => LINEAR_FRAC + 1,
        _ => PRE_FRAC + 2,
    }
}

/// Largest number of ids of an integer Embedding, whose inputs have 16 bits.
pub const MAX_IDS: u32 = 1 << 16;

/// Largest number of ids of a float Embedding: beyond it a `f32` does not hold every whole number.
pub const MAX_FLOAT_IDS: u32 = 1 << f32::MANTISSA_DIGITS;

/// Fraction bits of an integer Embedding's row multiplier if its output has [`MAX_INPUT_FRAC`]; one more for
/// each bit less.
pub const EMBEDDING_FRAC: u32 = 6;

/// Bits of the width of an interval in an integer Activation's table: 512 intervals cover all 2^16 inputs.
pub const TABLE_INTERVAL_BITS: u32 = 7;

/// Words of an integer Activation's table: 513 values, two to a word.
pub const TABLE_WORDS: usize = (1 << (16 - TABLE_INTERVAL_BITS)) / 2 + 1;

/// Largest number of features of a LayerNormalization: the sum of their squares, at most 2^48 each, fits 64
/// bits.
pub const MAX_NORMALIZED: usize = 1 << 15;

/// Fraction bits of the mean in an integer LayerNormalization, and of the differences from it.
pub const MEAN_FRAC: u32 = 8;

/// Fraction bits of a normalized value in an integer LayerNormalization; its magnitude is below 2^7.5.
pub const NORMALIZED_FRAC: u32 = 20;

/// Most layers that an Add spans; a power of two with one more, as a walk keeps so many inputs.
pub const MAX_SPAN: u32 = 15;

/// Most time steps of a GlobalAveragePooling1D: later ones leave its mean as it is. At 100 steps per second
/// that is after 62 days; twice the remainder and the count fits 32 bits up to there.
pub const MAX_POOLED_STEPS: u32 = 1 << 29;
