//! Four blocks at once: dot products block by block, one row per lane. Where each row is a unit, that is the
//! order of the units; else the four vectors are transposed to one row each, with one block per lane.

use super::Wasm128;
use crate::isa::four_lanes::{WIDTH, four_lanes_int};
use crate::isa::tanh::int::{INTERVAL_BITS, TANH_LIMIT, TANH_TABLE};
use crate::isa::{Int, Sides};
use core::arch::wasm32::*;

impl Int for Wasm128 {
    four_lanes_int!(v128, Sums, load, repeat, lanes, transpose);

    #[inline(always)]
    fn splat_i32(self, value: i32) -> v128 {
        i32x4_splat(value)
    }
    #[inline(always)]
    fn add_i32(self, a: v128, b: v128) -> v128 {
        i32x4_add(a, b)
    }
    #[inline(always)]
    fn sub_i32(self, a: v128, b: v128) -> v128 {
        i32x4_sub(a, b)
    }
    #[inline(always)]
    fn half(self, a: v128) -> v128 {
        i32x4_shr(a, 1)
    }
    #[inline(always)]
    fn mulr(self, a: v128, b: v128) -> v128 {
        let nearest = i64x2_splat(1 << 31);
        let low = i64x2_add(i64x2_extmul_low_i32x4(a, b), nearest);
        let high = i64x2_add(i64x2_extmul_high_i32x4(a, b), nearest);
        i32x4_shuffle::<1, 3, 5, 7>(low, high)
    }
    #[inline(always)]
    fn shr(self, a: v128, by: u32) -> v128 {
        i32x4_shr(a, by)
    }
    #[inline(always)]
    fn shl(self, a: v128, by: u32) -> v128 {
        i32x4_shl(a, by)
    }
    #[inline(always)]
    fn clamp(self, a: v128, low: i32, high: i32) -> v128 {
        i32x4_min(i32x4_max(a, i32x4_splat(low)), i32x4_splat(high))
    }

    #[inline(always)]
    fn tanh_i32(self, p: v128) -> v128 {
        let sign = i32x4_shr(p, 31);
        let p = v128_xor(self.clamp(p, -TANH_LIMIT, TANH_LIMIT - 1), sign);
        let interval = lanes(u32x4_shr(p, INTERVAL_BITS));
        let entry = load(&interval.map(|i| TANH_TABLE[i as usize % TANH_TABLE.len()] as i32));
        let fraction = v128_and(p, i32x4_splat((1 << INTERVAL_BITS) - 1));
        // Slope and fraction are below 2^15, so one 16-bit product is all of it; the fraction's high half is
        // 0.
        v128_xor(i32x4_add(entry, i32x4_dot_i16x8(entry, fraction)), sign)
    }
}

/// Loads four words.
#[inline(always)]
fn load(words: &[i32; WIDTH]) -> v128 {
    // SAFETY: sixteen bytes lie behind the reference.
    unsafe { v128_load(words.as_ptr().cast()) }
}

/// Returns a word in all lanes.
#[inline(always)]
fn repeat(word: &i32) -> v128 {
    i32x4_splat(*word)
}

/// Returns the lanes of a vector.
#[inline(always)]
fn lanes(v: v128) -> [i32; WIDTH] {
    let mut lanes = [0; 4];
    // SAFETY: sixteen bytes lie behind the reference.
    unsafe { v128_store((&raw mut lanes).cast(), v) };
    lanes
}

/// The four sums of a block.
#[derive(Clone, Copy)]
struct Sums(v128);

impl Sums {
    /// Returns sums that start at `words`.
    #[inline(always)]
    fn start(words: &[i32; WIDTH]) -> Self {
        Self(load(words))
    }

    /// Adds the products of a word of weights per row: those of its halves with the second activations, and
    /// of the halves of the word shifted by a byte with the first.
    #[inline(always)]
    fn add(&mut self, words: &[i32; WIDTH], [a01, a23]: [v128; 2]) {
        let words = load(words);
        let low = i32x4_dot_i16x8(i32x4_shl(words, 8), a01);
        self.0 = i32x4_add(self.0, i32x4_add(low, i32x4_dot_i16x8(words, a23)));
    }

    /// Returns the [`mulh`](crate::isa::mulh) of each sum and its multiplier.
    #[inline(always)]
    fn scale(self, multipliers: &[i32; WIDTH]) -> v128 {
        let b = load(multipliers);
        let (low, high) = (i64x2_extmul_low_i32x4(self.0, b), i64x2_extmul_high_i32x4(self.0, b));
        i32x4_shuffle::<1, 3, 5, 7>(low, high)
    }
}

/// Transposes four by four.
#[inline(always)]
fn transpose([a, b, c, d]: [v128; WIDTH]) -> [v128; WIDTH] {
    let (ab_low, ab_high) = (i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b));
    let (cd_low, cd_high) = (i32x4_shuffle::<0, 4, 1, 5>(c, d), i32x4_shuffle::<2, 6, 3, 7>(c, d));
    [
        i64x2_shuffle::<0, 2>(ab_low, cd_low),
        i64x2_shuffle::<1, 3>(ab_low, cd_low),
        i64x2_shuffle::<0, 2>(ab_high, cd_high),
        i64x2_shuffle::<1, 3>(ab_high, cd_high),
    ]
}
