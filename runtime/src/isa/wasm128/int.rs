//! Four blocks at once: dot products block by block, one row per lane. Where each row is a unit, that is the
//! order of the units; else the four vectors are transposed to one row each, with one block per lane.

use super::Wasm128;
use crate::isa::tanh::int::{INTERVAL_BITS, TANH_LIMIT, TANH_TABLE};
use crate::isa::{Int, Sides};
use core::arch::wasm32::*;

const BLOCKS: usize = 4;
/// The rows of a block.
const ROWS: usize = 4;

impl Int for Wasm128 {
    type W = v128;
    const BLOCKS: usize = BLOCKS;

    #[inline(always)]
    fn rows<const R: usize, const SIDES: usize>(
        self,
        blocks: &[i32],
        stride: usize,
        at: usize,
        sides: &Sides<'_, SIDES>,
    ) -> [v128; R] {
        transpose(self.units::<ROWS, SIDES>(blocks, stride, at, sides)).as_chunks::<R>().0[0]
    }

    #[inline(always)]
    fn units<const R: usize, const SIDES: usize>(
        self,
        blocks: &[i32],
        stride: usize,
        at: usize,
        sides: &Sides<'_, SIDES>,
    ) -> [v128; R] {
        const { assert!(R == ROWS) };
        let missing = blocks.get(at..).unwrap_or_default();
        // The result of a missing block is not used: it is computed from the first one.
        let block = |j: usize| blocks.get(j * stride + at..).filter(|b| !b.is_empty()).unwrap_or(missing);
        let mut units = [i32x4_splat(0); R];
        units.copy_from_slice(&pre_activations([block(0), block(1), block(2), block(3)], sides));
        units
    }

    #[inline(always)]
    fn groups<'a, T: 'a>(values: &'a mut [T]) -> impl Iterator<Item = &'a mut [T]> {
        values.chunks_mut(BLOCKS)
    }

    #[inline(always)]
    fn load_i32(self, values: &[i32]) -> v128 {
        if let Some(whole) = values.first_chunk() {
            return load(whole);
        }
        let mut few = [0; BLOCKS];
        few.iter_mut().zip(values).for_each(|(few, &v)| *few = v);
        load(&few)
    }

    #[inline(always)]
    fn load_i16<const R: usize>(self, values: &[i16]) -> [v128; R] {
        let mut vectors = [i32x4_splat(0); R];
        for (vector, values) in vectors.iter_mut().zip(values.chunks(BLOCKS)) {
            let mut four = [0; BLOCKS];
            four.iter_mut().zip(values).for_each(|(four, &v)| *four = i32::from(v) << 16);
            *vector = load(&four);
        }
        vectors
    }

    #[inline(always)]
    fn store_i32<const R: usize>(self, v: [v128; R], out: &mut [i32]) {
        for (out, v) in out.chunks_mut(BLOCKS).zip(v) {
            out.iter_mut().zip(lanes(v)).for_each(|(out, v)| *out = v);
        }
    }

    #[inline(always)]
    fn store_i16<const R: usize>(self, v: [v128; R], out: &mut [i16]) {
        for (out, v) in out.chunks_mut(BLOCKS).zip(v) {
            let v = self.clamp(v, i16::MIN.into(), i16::MAX.into());
            out.iter_mut().zip(lanes(v)).for_each(|(out, v)| *out = v as i16);
        }
    }

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
fn load(words: &[i32; 4]) -> v128 {
    // SAFETY: sixteen bytes lie behind the reference.
    unsafe { v128_load(words.as_ptr().cast()) }
}

/// Returns the lanes of a vector.
#[inline(always)]
fn lanes(v: v128) -> [i32; 4] {
    let mut lanes = [0; 4];
    // SAFETY: sixteen bytes lie behind the reference.
    unsafe { v128_store((&raw mut lanes).cast(), v) };
    lanes
}

/// Computes the pre-activations of the four rows that each block begins with.
#[inline(always)]
fn pre_activations<const SIDES: usize>(blocks: [&[i32]; BLOCKS], sides: &Sides<'_, SIDES>) -> [v128; BLOCKS] {
    let mut words = blocks.map(|block| block.as_chunks::<ROWS>().0);
    let mut sums = words.map(|words| words.first().map_or(i32x4_splat(0), load));
    words = words.map(|words| words.get(1..).unwrap_or_default());
    for side in sides.iter() {
        let [a, b, c, d] = words;
        for ((((quad, a), b), c), d) in side.quads().iter().zip(a).zip(b).zip(c).zip(d) {
            let acts = quad.map(|acts| i32x4_splat(acts));
            for (sum, words) in sums.iter_mut().zip([a, b, c, d]) {
                *sum = multiply(*sum, load(words), acts);
            }
        }
        words = words.map(|words| words.get(side.quads().len()..).unwrap_or_default());
    }
    core::array::from_fn(|j| {
        debug_assert!(!words[j].is_empty(), "a block shorter than its rows");
        mulh(sums[j], words[j].first().map_or(i32x4_splat(0), load))
    })
}

/// Adds the products of words of weights to sums: those of their halves with the second activations, and of
/// the halves of the words shifted by a byte with the first.
#[inline(always)]
fn multiply(sums: v128, words: v128, [a01, a23]: [v128; 2]) -> v128 {
    let low = i32x4_dot_i16x8(i32x4_shl(words, 8), a01);
    i32x4_add(sums, i32x4_add(low, i32x4_dot_i16x8(words, a23)))
}

/// Computes [`mulh`](crate::isa::mulh).
#[inline(always)]
fn mulh(a: v128, b: v128) -> v128 {
    i32x4_shuffle::<1, 3, 5, 7>(i64x2_extmul_low_i32x4(a, b), i64x2_extmul_high_i32x4(a, b))
}

/// Transposes four by four.
#[inline(always)]
fn transpose([a, b, c, d]: [v128; 4]) -> [v128; 4] {
    let (ab_low, ab_high) = (i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b));
    let (cd_low, cd_high) = (i32x4_shuffle::<0, 4, 1, 5>(c, d), i32x4_shuffle::<2, 6, 3, 7>(c, d));
    [
        i64x2_shuffle::<0, 2>(ab_low, cd_low),
        i64x2_shuffle::<1, 3>(ab_low, cd_low),
        i64x2_shuffle::<0, 2>(ab_high, cd_high),
        i64x2_shuffle::<1, 3>(ab_high, cd_high),
    ]
}
