//! The operations that the integer kernels use. INTEGER.md defines the result of each, to the bit.

/// Computes `(a * b + 2^31) >> 32`: the one multiplication of two 32-bit numbers, to the nearest, halves up.
#[inline(always)]
pub const fn mulr(a: i32, b: i32) -> i32 {
    ((a as i64 * b as i64 + (1 << 31)) >> 32) as i32
}

/// One side of a layer: the activations that are multiplied with a part of each row.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// Activations, two `i16` to a word, the first in the low half; an even number of words, with zeros at
    /// the end.
    pub acts: &'a [i32],
    /// Left shift of the sums of products before they are scaled, below 32.
    pub shift: u8,
}

impl Side<'_> {
    /// Returns the words of `rows` rows of this side in a block: a multiplier each, and one word for two
    /// words of activations.
    pub const fn words(&self, rows: usize) -> usize {
        rows + rows * (self.acts.len() / 2)
    }
}

/// Vectors of `i32` and the one hot loop over blocks of weights.
///
/// A block is `R` rows of weights, one word after another: `R` biases, then each [`Side`]. Work is done in
/// groups of [`BLOCKS`](Int::BLOCKS) blocks, whose `R` pre-activations each are `R` vectors of as many lanes.
pub trait Int: Copy {
    /// [`BLOCKS`](Int::BLOCKS) values of `i32`.
    type W: Copy;
    /// The number of blocks that are computed at once.
    const BLOCKS: usize;

    /// Computes the pre-activations of the `R` rows that begin at word `at` of each block, one vector per row
    /// with one lane per block, wrapping: the row's bias, and for each side
    /// `mulr(sum_k w[r][k] * acts[k] << shift, multiplier[r])`.
    ///
    /// `blocks` holds up to [`BLOCKS`](Int::BLOCKS) blocks of `stride` words; the result of a missing block
    /// is unspecified.
    fn rows<const R: usize, const SIDES: usize>(
        self,
        blocks: &[i32],
        stride: usize,
        at: usize,
        sides: [Side<'_>; SIDES],
    ) -> [Self::W; R];

    /// Computes [`rows`](Int::rows) in their order, block by block: the first vector holds the rows of the
    /// first blocks, and so on; only the vectors of blocks that are there are specified.
    #[inline(always)]
    fn units<const R: usize, const SIDES: usize>(
        self,
        blocks: &[i32],
        stride: usize,
        at: usize,
        sides: [Side<'_>; SIDES],
    ) -> [Self::W; R] {
        const { assert!(Self::BLOCKS == 1, "more blocks need the order") };
        self.rows(blocks, stride, at, sides)
    }

    /// Returns values in groups of [`BLOCKS`](Int::BLOCKS); fewer in the last.
    fn groups<'a, T: 'a>(values: &'a mut [T]) -> impl Iterator<Item = &'a mut [T]>;

    /// Loads the first values of a slice; 0 for missing ones.
    fn load_i32(self, values: &[i32]) -> Self::W;
    /// Loads `R` vectors of values, shifted left by 16; 0 for missing ones.
    fn load_i16<const R: usize>(self, values: &[i16]) -> [Self::W; R];
    /// Stores the values of `R` vectors, as many as `out` has room for.
    fn store_i32<const R: usize>(self, v: [Self::W; R], out: &mut [i32]);
    /// Stores as [`store_i32`](Int::store_i32) does, saturated to `i16`.
    fn store_i16<const R: usize>(self, v: [Self::W; R], out: &mut [i16]);
    /// Returns `value` in every lane.
    fn splat_i32(self, value: i32) -> Self::W;
    /// Computes `a + b`, wrapping.
    fn add_i32(self, a: Self::W, b: Self::W) -> Self::W;
    /// Computes `a - b`, wrapping.
    fn sub_i32(self, a: Self::W, b: Self::W) -> Self::W;
    /// Computes `a >> 1`, arithmetic.
    fn half(self, a: Self::W) -> Self::W;
    /// Computes [`mulr`].
    fn mulr(self, a: Self::W, b: Self::W) -> Self::W;
    /// Computes `a >> by`, arithmetic; `by` below 32.
    fn shr(self, a: Self::W, by: u32) -> Self::W;
    /// Computes `a << by`, dropping the bits beyond 32; `by` below 32.
    fn shl(self, a: Self::W, by: u32) -> Self::W;
    /// Computes `(a + 2^(N-1)) >> N`, the addition wrapping.
    fn shr_round<const N: u32>(self, a: Self::W) -> Self::W;
    /// Clamps `a` to `low..=high`.
    fn clamp(self, a: Self::W, low: i32, high: i32) -> Self::W;
    /// Computes [`tanh`](super::tanh::int::tanh) of each.
    fn tanh_i32(self, a: Self::W) -> Self::W;
    /// Computes [`tanh_i32`](Int::tanh_i32) of several vectors, which may share instructions.
    #[inline(always)]
    fn tanh_each_i32<const N: usize>(self, mut a: [Self::W; N]) -> [Self::W; N] {
        for a in &mut a {
            *a = self.tanh_i32(*a);
        }
        a
    }
}
