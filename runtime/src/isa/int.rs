//! What the integer kernels ask of an instruction set. INTEGER.md says what each operation must give, to the bit.

/// `(a * b + 2^31) >> 32`: the one way two 32-bit numbers are multiplied, to the nearest, halves up.
#[inline(always)]
pub const fn mulr(a: i32, b: i32) -> i32 {
    ((a as i64 * b as i64 + (1 << 31)) >> 32) as i32
}

/// One side of a layer: the activations that meet its weights.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// Activations, two `i16` to a word, the first in the low half; an even number of words, with zeros at the end.
    pub acts: &'a [i32],
    /// Left shift of the sums before they are scaled, below 32.
    pub shift: u8,
}

impl Side<'_> {
    /// Words of `rows` rows of this side in a block: a multiplier each, and a word for two words of activations.
    pub const fn words(&self, rows: usize) -> usize {
        rows + rows * (self.acts.len() / 2)
    }
}

/// Vectors of `i32` and the one hot loop over blocks of weights.
///
/// A block is what one unit (cells with gates) or four units (cells with one) need, one word after another: `R` biases,
/// then each [`Side`]. A vector has one lane a block, [`BLOCKS`](Int::BLOCKS) of them.
pub trait Int: Copy {
    /// One `i32` for each of [`BLOCKS`](Int::BLOCKS) blocks.
    type W: Copy;
    /// Blocks worked on at once.
    const BLOCKS: usize;

    /// The pre-activations of the `R` rows that begin at word `at` of each block, wrapping: the row's bias, and for each
    /// side `mulr(sum_k w[r][k] * acts[k] << shift, multiplier[r])`.
    ///
    /// `blocks` holds up to [`BLOCKS`](Int::BLOCKS) blocks of `stride` words; what a block that is not there gives is
    /// unspecified.
    fn rows<const R: usize, const SIDES: usize>(
        self,
        blocks: &[i32],
        stride: usize,
        at: usize,
        sides: [Side<'_>; SIDES],
    ) -> [Self::W; R];

    /// Values, one for each block, in groups of [`BLOCKS`](Int::BLOCKS); fewer in the last.
    fn groups<'a, T: 'a>(values: &'a mut [T]) -> impl Iterator<Item = &'a mut [T]>;

    /// The first values of a slice; 0 for those it does not have.
    fn load_i32(self, values: &[i32]) -> Self::W;
    /// `R` values for each block, block by block, shifted left by 16; 0 for those that are not there.
    fn load_i16<const R: usize>(self, values: &[i16]) -> [Self::W; R];
    /// Stores block by block, `R` values of each, as many as `out` has room for.
    fn store_rows<const R: usize>(self, v: [Self::W; R], out: &mut [i32]);
    /// The same, saturated to `i16`.
    fn store_i16<const R: usize>(self, v: [Self::W; R], out: &mut [i16]);
    /// The same value everywhere.
    fn splat_i32(self, value: i32) -> Self::W;
    /// `a + b`, wrapping.
    fn add_i32(self, a: Self::W, b: Self::W) -> Self::W;
    /// `a - b`, wrapping.
    fn sub_i32(self, a: Self::W, b: Self::W) -> Self::W;
    /// `a >> 1`, arithmetic.
    fn half(self, a: Self::W) -> Self::W;
    /// `(a * b + 2^31) >> 32` in 64 bits.
    fn mulr(self, a: Self::W, b: Self::W) -> Self::W;
    /// `a >> by`, arithmetic; `by` below 32.
    fn shr(self, a: Self::W, by: u32) -> Self::W;
    /// `a << by`, what leaves 32 bits lost; `by` below 32.
    fn shl(self, a: Self::W, by: u32) -> Self::W;
    /// `(a + 2^(N-1)) >> N`, the addition wrapping.
    fn shr_round<const N: u32>(self, a: Self::W) -> Self::W;
    /// `a` moved into `low..=high`.
    fn clamp(self, a: Self::W, low: i32, high: i32) -> Self::W;
    /// [`tanh`](super::tanh::int::tanh) of each.
    fn tanh_i32(self, a: Self::W) -> Self::W;
}
