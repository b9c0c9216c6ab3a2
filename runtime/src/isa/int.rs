//! The operations that the integer kernels use. INTEGER.md defines the result of each, to the bit.

use core::marker::PhantomData;
use core::ops::Range;

/// Computes `(a * b + 2^31) >> 32`: the one multiplication of two 32-bit numbers, to the nearest, halves up.
#[inline(always)]
pub const fn mulr(a: i32, b: i32) -> i32 {
    ((a as i64 * b as i64 + (1 << 31)) >> 32) as i32
}

/// Computes `(a * b) >> 32`, rounded down: the scaling of a sum of products.
#[cfg(not(own_isa))]
#[inline(always)]
pub const fn mulh(a: i32, b: i32) -> i32 {
    ((a as i64 * b as i64) >> 32) as i32
}

/// Computes `(a + 2^(by-1)) >> by`, to the nearest, halves up; `by` is 2 to 31.
#[inline(always)]
pub const fn shr_round(a: i32, by: u32) -> i32 {
    a.wrapping_shr(by.wrapping_sub(1)).wrapping_add(1) >> 1
}

/// One side of a layer: the activations that a part of each row is multiplied with, four to a quad. A quad is
/// two words, the first activation in the low half of the first.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Side<'a> {
    from: *const [i32; 2],
    to: *const [i32; 2],
    acts: PhantomData<&'a [[i32; 2]]>,
}

impl<'a> Side<'a> {
    /// Takes the whole quads of `acts`.
    #[inline(always)]
    fn new(acts: &'a [i32]) -> Self {
        let Range { start: from, end: to } = acts.as_chunks::<2>().0.as_ptr_range();
        Self { from, to, acts: PhantomData }
    }

    /// Returns the number of quads.
    #[inline(always)]
    fn len(&self) -> usize {
        (self.to.addr() - self.from.addr()) / size_of::<[i32; 2]>()
    }

    /// Returns the quads.
    #[cfg(any(not(own_isa), wasm128))]
    #[inline(always)]
    pub fn quads(&self) -> &'a [[i32; 2]] {
        // SAFETY: the pointers are the ends of a slice that is borrowed for `'a`.
        unsafe { core::slice::from_raw_parts(self.from, self.len()) }
    }
}

/// The sides of a row, at whose end loops in assembly find a side that begins and ends at address 0.
#[repr(C)]
pub struct Sides<'a, const N: usize> {
    sides: [Side<'a>; N],
    end: [usize; 2],
    /// The quads of all sides.
    quads: usize,
}

impl<'a, const N: usize> Sides<'a, N> {
    /// Takes activations in whole quads, none of them empty.
    #[inline(always)]
    pub fn new(acts: [&'a [i32]; N]) -> Self {
        let sides = acts.map(Side::new);
        let quads = sides.iter().fold(0, |quads, side| quads + side.len());
        Self { sides, end: [0; 2], quads }
    }

    /// Returns the words of `rows` rows in a block: start values, a word for each quad, multipliers.
    #[inline(always)]
    pub fn words(&self, rows: usize) -> usize {
        2 * rows + rows * self.quads
    }

    /// Returns the first quad of each side and its end.
    #[cfg(all(armv7em, not(helium)))]
    #[inline(always)]
    pub fn ends(&self) -> [[*const [i32; 2]; 2]; N] {
        self.sides.map(|side| [side.from, side.to])
    }

    /// Iterates over the sides.
    #[cfg(any(not(own_isa), wasm128))]
    #[inline(always)]
    pub fn iter(&self) -> impl Iterator<Item = &Side<'a>> {
        self.sides.iter()
    }
}

/// A time step of an integer Lstm whose activations are tanh and sigmoid, and whose rows have one scale.
#[cfg_attr(not(armv7em), expect(dead_code, reason = "read by instruction sets with whole steps"))]
pub struct IntLstm<'a> {
    /// A block for each unit.
    pub blocks: &'a [i32],
    /// The input, in whole quads, not empty.
    pub x: &'a [i32],
    /// The output of the step before, likewise.
    pub h: &'a [i32],
    /// The cell state of each unit.
    pub c: &'a mut [i32],
    /// The output of each unit.
    pub next: &'a mut [i16],
    /// Fraction bits of the cell state.
    pub cell_frac: u32,
    /// Fraction bits of the output.
    pub frac: u32,
}

/// A time step of an integer Gru with the reset gate after the product, whose activations are tanh and
/// sigmoid, and whose rows have one scale.
#[cfg_attr(
    not(all(armv7em, not(helium))),
    expect(dead_code, reason = "read by instruction sets with whole steps")
)]
pub struct IntGru<'a> {
    /// A block for four units: their rows of z, of r, of n over x, of n over h.
    pub blocks: &'a [i32],
    /// The input, in whole quads, not empty.
    pub x: &'a [i32],
    /// The output of the step before, likewise.
    pub h: &'a [i32],
    /// The state of each unit.
    pub state: &'a mut [i16],
    /// The output of each unit.
    pub next: &'a mut [i16],
    /// Fraction bits of the output.
    pub frac: u32,
}

/// Vectors of `i32` and the one hot loop over blocks of weights.
///
/// A block consists of rows of weights, `R` at a time: `R` start values, a word of each row for each quad of
/// the [`Sides`], `R` multipliers. Work is done in groups of [`BLOCKS`](Int::BLOCKS) blocks, whose `R`
/// pre-activations each are `R` vectors of as many lanes.
pub trait Int: Copy {
    /// [`BLOCKS`](Int::BLOCKS) values of `i32`.
    type W: Copy;
    /// The number of blocks that are computed at once.
    const BLOCKS: usize;

    /// Computes the pre-activations of the `R` rows that begin at word `at` of each block, one vector per row
    /// with one lane per block: the [`mulh`] of the row's sum and its multiplier. The sum, wrapping, is the
    /// start value and for each word `w` of weights, whose halves are `i16`, and its quad of activations
    ///
    /// ```text
    /// low(w << 8) a[0] + high(w << 8) a[1] + low(w) a[2] + high(w) a[3]
    /// ```
    ///
    /// `blocks` holds up to [`BLOCKS`](Int::BLOCKS) blocks of `stride` words; the result of a missing block
    /// is unspecified.
    fn rows<const R: usize, const SIDES: usize>(
        self,
        blocks: &[i32],
        stride: usize,
        at: usize,
        sides: &Sides<'_, SIDES>,
    ) -> [Self::W; R];

    /// Computes [`rows`](Int::rows) in their order, block by block: the first vector holds the rows of the
    /// first blocks, and so on; only the vectors of blocks that are there are specified.
    #[inline(always)]
    fn units<const R: usize, const SIDES: usize>(
        self,
        blocks: &[i32],
        stride: usize,
        at: usize,
        sides: &Sides<'_, SIDES>,
    ) -> [Self::W; R] {
        const { assert!(Self::BLOCKS == 1, "more blocks need the order") };
        self.rows(blocks, stride, at, sides)
    }

    /// `true` if [`lstm`](Int::lstm) computes a time step.
    const LSTM: bool = false;

    /// Computes a time step of an Lstm whole, where this takes fewer instructions than block by block.
    #[inline(always)]
    fn lstm(self, _step: IntLstm<'_>) {
        debug_assert!(Self::LSTM, "no layer calls it");
    }

    /// `true` if [`gru`](Int::gru) computes a time step.
    const GRU: bool = false;

    /// Computes a time step of a Gru whole, where this takes fewer instructions than block by block.
    #[inline(always)]
    fn gru(self, _step: IntGru<'_>) {
        debug_assert!(Self::GRU, "no layer calls it");
    }

    /// Copies activations, as many as `x` and `out` have, saturated to +-2^`frac`.
    #[inline(always)]
    fn saturate(self, x: &[i16], frac: u32, out: &mut [i16]) {
        let end = 1i32.wrapping_shl(frac);
        for (out, &x) in out.iter_mut().zip(x) {
            *out = i32::from(x).max(end.wrapping_neg()).min(end) as i16;
        }
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
    /// Computes [`shr_round`].
    #[inline(always)]
    fn shr_round(self, a: Self::W, by: u32) -> Self::W {
        self.half(self.add_i32(self.shr(a, by.wrapping_sub(1)), self.splat_i32(1)))
    }
    /// Computes `a + shr_round(b, by)`, wrapping; `by` is 2 to 31.
    #[inline(always)]
    fn add_rounded(self, a: Self::W, b: Self::W, by: u32) -> Self::W {
        self.add_i32(a, self.shr_round(b, by))
    }
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
