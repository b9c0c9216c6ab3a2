//! Sixteen blocks at once: dot products block by block with `vpdpwssd`, everything after it sixteen blocks to
//! a vector.
//!
//! Between the two, a quad holds four blocks, one to each quarter of a register, with one row per lane. Where
//! each row is a unit, that is the order of the units; else the four quads transposed are the four rows with
//! one block per lane.

use super::{Avx512, avx512, tanh};
use crate::isa::avx2::blocks::{Blocks, ROWS, copy};
use crate::isa::{Int, Sides};
use core::arch::x86_64::*;

const BLOCKS: usize = 16;
/// The blocks of a quad, and the quads of all blocks.
const QUAD: usize = 4;

impl Int for Avx512 {
    type W = __m512i;
    const BLOCKS: usize = BLOCKS;

    #[inline(always)]
    fn rows<const R: usize, const SIDES: usize>(
        self,
        blocks: &[i32],
        stride: usize,
        at: usize,
        sides: &Sides<'_, SIDES>,
    ) -> [__m512i; R] {
        let quads = self.quads(blocks, stride, at, sides);
        let mut rows = [quads[0]; R];
        rows.copy_from_slice(&self.rows_of_quads(quads));
        rows
    }

    #[inline(always)]
    fn units<const R: usize, const SIDES: usize>(
        self,
        blocks: &[i32],
        stride: usize,
        at: usize,
        sides: &Sides<'_, SIDES>,
    ) -> [__m512i; R] {
        let quads = self.quads(blocks, stride, at, sides);
        let mut units = [quads[0]; R];
        units.copy_from_slice(&quads);
        units
    }

    #[inline(always)]
    fn groups<'a, T: 'a>(values: &'a mut [T]) -> impl Iterator<Item = &'a mut [T]> {
        values.chunks_mut(BLOCKS)
    }

    #[inline(always)]
    fn load_i32(self, values: &[i32]) -> __m512i {
        match values.first_chunk::<BLOCKS>() {
            // SAFETY: sixteen words lie behind the reference; AVX-512F by the token.
            Some(values) => unsafe { _mm512_loadu_si512(values.as_ptr().cast()) },
            None => {
                let (low, high) = values.split_at_checked(BLOCKS / 2).unwrap_or((values, &[]));
                avx512!(_mm512_inserti64x4::<1>(
                    _mm512_castsi256_si512(self.load_half(low)),
                    self.load_half(high)
                ))
            }
        }
    }

    #[inline(always)]
    fn load_i16<const R: usize>(self, values: &[i16]) -> [__m512i; R] {
        let mut vectors = [self.splat_i32(0); R];
        for (vector, values) in vectors.iter_mut().zip(values.chunks(BLOCKS)) {
            let values = self.load_values(values);
            *vector = avx512!(_mm512_slli_epi32::<16>(_mm512_cvtepi16_epi32(values)));
        }
        vectors
    }

    #[inline(always)]
    fn store_i32<const R: usize>(self, v: [__m512i; R], out: &mut [i32]) {
        for (out, v) in out.chunks_mut(BLOCKS).zip(v) {
            self.store_words(v, out);
        }
    }

    #[inline(always)]
    fn store_i16<const R: usize>(self, v: [__m512i; R], out: &mut [i16]) {
        for (out, v) in out.chunks_mut(BLOCKS).zip(v) {
            self.store_values(v, out);
        }
    }

    #[inline(always)]
    fn splat_i32(self, value: i32) -> __m512i {
        avx512!(_mm512_set1_epi32(value))
    }
    #[inline(always)]
    fn add_i32(self, a: __m512i, b: __m512i) -> __m512i {
        avx512!(_mm512_add_epi32(a, b))
    }
    #[inline(always)]
    fn sub_i32(self, a: __m512i, b: __m512i) -> __m512i {
        avx512!(_mm512_sub_epi32(a, b))
    }
    #[inline(always)]
    fn half(self, a: __m512i) -> __m512i {
        avx512!(_mm512_srai_epi32::<1>(a))
    }

    // Even and odd lanes go through 64-bit products, whose high halves are the result.
    #[inline(always)]
    fn mulr(self, a: __m512i, b: __m512i) -> __m512i {
        avx512!({
            let nearest = _mm512_set1_epi64(1 << 31);
            let even = _mm512_add_epi64(_mm512_mul_epi32(a, b), nearest);
            let odd = _mm512_mul_epi32(_mm512_srli_epi64::<32>(a), _mm512_srli_epi64::<32>(b));
            let odd = _mm512_add_epi64(odd, nearest);
            _mm512_mask_blend_epi32(0b1010_1010_1010_1010, _mm512_srli_epi64::<32>(even), odd)
        })
    }

    #[inline(always)]
    fn shr(self, a: __m512i, by: u32) -> __m512i {
        avx512!(_mm512_sra_epi32(a, _mm_cvtsi32_si128((by & 31) as i32)))
    }
    #[inline(always)]
    fn shl(self, a: __m512i, by: u32) -> __m512i {
        avx512!(_mm512_sll_epi32(a, _mm_cvtsi32_si128((by & 31) as i32)))
    }
    #[inline(always)]
    fn clamp(self, a: __m512i, low: i32, high: i32) -> __m512i {
        avx512!(_mm512_min_epi32(_mm512_max_epi32(a, self.splat_i32(low)), self.splat_i32(high)))
    }

    #[inline(always)]
    fn tanh_i32(self, p: __m512i) -> __m512i {
        tanh::two(self, [p, p])[0]
    }

    #[inline(always)]
    fn tanh_each_i32<const N: usize>(self, mut p: [__m512i; N]) -> [__m512i; N] {
        let (pairs, single) = p.as_chunks_mut::<2>();
        for pair in pairs {
            *pair = tanh::two(self, *pair);
        }
        for p in single {
            *p = self.tanh_i32(*p);
        }
        p
    }
}

// Loads and stores by the half register where there are that many values, and else by way of the stack: a
// load is forwarded from a store that contains it. Under a mask it is not, and waits for any store to the
// lanes left out.
impl Avx512 {
    /// Loads up to eight words; 0 for missing ones.
    #[inline(always)]
    fn load_half(self, values: &[i32]) -> __m256i {
        let mut few = [0; 8];
        let values = values.first_chunk().unwrap_or_else(|| {
            copy(values, &mut few);
            &few
        });
        // SAFETY: eight words lie behind the reference; AVX by the token.
        unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
    }

    /// Loads up to sixteen `i16`; 0 for missing ones.
    #[inline(always)]
    fn load_values(self, values: &[i16]) -> __m256i {
        let mut few = [0; 16];
        let values = values.first_chunk().unwrap_or_else(|| {
            copy(values, &mut few);
            &few
        });
        // SAFETY: sixteen values lie behind the reference; AVX by the token.
        unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
    }

    /// Stores words, as many as there is room for, at most sixteen.
    #[inline(always)]
    fn store_words(self, v: __m512i, out: &mut [i32]) {
        if let Some(out) = out.first_chunk_mut::<BLOCKS>() {
            // SAFETY: sixteen words lie behind the reference; AVX-512F by the token.
            return unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), v) };
        }
        let half = avx512!(_mm512_castsi512_si256(v));
        let (half, rest) = match out.as_chunks_mut::<8>() {
            ([low, ..], high) => {
                // SAFETY: eight words lie behind the reference; AVX by the token.
                unsafe { _mm256_storeu_si256(low.as_mut_ptr().cast(), half) };
                (avx512!(_mm512_extracti64x4_epi64::<1>(v)), high)
            }
            ([], all) => (half, all),
        };
        if !rest.is_empty() {
            let mut few = [0; 8];
            // SAFETY: eight words lie behind the reference; AVX by the token.
            unsafe { _mm256_storeu_si256(few.as_mut_ptr().cast(), half) };
            copy(&few, rest);
        }
    }

    /// Stores words saturated to `i16`, as many as there is room for, at most sixteen.
    #[inline(always)]
    fn store_values(self, v: __m512i, out: &mut [i16]) {
        let v = avx512!(_mm512_cvtsepi32_epi16(v));
        if let Some(out) = out.first_chunk_mut::<BLOCKS>() {
            // SAFETY: sixteen values lie behind the reference; AVX by the token.
            return unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), v) };
        }
        let half = avx512!(_mm256_castsi256_si128(v));
        let (half, rest) = match out.as_chunks_mut::<8>() {
            ([low, ..], high) => {
                // SAFETY: eight values lie behind the reference; AVX by the token.
                unsafe { _mm_storeu_si128(low.as_mut_ptr().cast(), half) };
                (avx512!(_mm256_extracti128_si256::<1>(v)), high)
            }
            ([], all) => (half, all),
        };
        if !rest.is_empty() {
            let mut few = [0; 8];
            // SAFETY: eight values lie behind the reference; AVX by the token.
            unsafe { _mm_storeu_si128(few.as_mut_ptr().cast(), half) };
            copy(&few, rest);
        }
    }
}

impl Avx512 {
    /// Computes the pre-activations of four rows of each block, four blocks to a vector.
    #[inline(always)]
    fn quads<const SIDES: usize>(
        self,
        blocks: &[i32],
        stride: usize,
        at: usize,
        sides: &Sides<'_, SIDES>,
    ) -> [__m512i; QUAD] {
        let mut quads = [self.splat_i32(0); QUAD];
        let Some(blocks) = Blocks::<BLOCKS>::new(blocks, stride, at, sides) else {
            debug_assert!(false, "blocks shorter than their rows");
            return quads;
        };
        self.two_quads(&blocks, at, sides, &mut quads, 0);
        if blocks.present > 2 * QUAD {
            self.two_quads(&blocks, at, sides, &mut quads, 2);
        }
        quads
    }

    /// Computes the pre-activations of the quads `q` and `q + 1`; the second only if any of its blocks is
    /// there.
    #[inline(always)]
    fn two_quads<const SIDES: usize>(
        self,
        blocks: &Blocks<'_, BLOCKS>,
        at: usize,
        sides: &Sides<'_, SIDES>,
        quads: &mut [__m512i; QUAD],
        q: usize,
    ) {
        let multipliers = at + sides.words(ROWS) - ROWS;
        if blocks.present > QUAD * (q + 1) {
            let [a, b] = self.sums::<SIDES, 2>(blocks, at, sides, q);
            quads[q % QUAD] = self.mulh(a, self.words(blocks, multipliers, q));
            quads[(q + 1) % QUAD] = self.mulh(b, self.words(blocks, multipliers, q + 1));
        } else {
            let [a] = self.sums::<SIDES, 1>(blocks, at, sides, q);
            quads[q % QUAD] = self.mulh(a, self.words(blocks, multipliers, q));
        }
    }

    /// Loads four words at `at` of each block of quad `q`.
    #[inline(always)]
    fn words(self, blocks: &Blocks<'_, BLOCKS>, at: usize, q: usize) -> __m512i {
        let word = |j| blocks.at(QUAD * q + j, at).cast::<__m128i>();
        let [a, b, c, d] = [word(0), word(1), word(2), word(3)];
        // SAFETY: `at` is where multipliers begin, four words that every block of `Blocks` has;
        // AVX-512F by the token.
        unsafe {
            let low =
                _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(_mm_loadu_si128(a)), _mm_loadu_si128(b));
            let high =
                _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(_mm_loadu_si128(c)), _mm_loadu_si128(d));
            _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high)
        }
    }

    /// Computes the sums of products of the blocks of `Q` quads from quad `q` on.
    #[inline(always)]
    fn sums<const SIDES: usize, const Q: usize>(
        self,
        blocks: &Blocks<'_, BLOCKS>,
        at: usize,
        sides: &Sides<'_, SIDES>,
        q: usize,
    ) -> [__m512i; Q] {
        // The blocks, and of each its four rows, one part of each quarter.
        let from: [[*const i32; QUAD]; Q] =
            core::array::from_fn(|i| core::array::from_fn(|j| blocks.at(QUAD * (q + i) + j, at)));
        let mut sums = [[self.splat_i32(0); QUAD]; Q];
        for (sum, from) in sums.as_flattened_mut().iter_mut().zip(from.as_flattened()) {
            // SAFETY: `at` is where the start values begin, four words that every block of `Blocks` has; AVX
            // by the token.
            *sum = unsafe { _mm512_zextsi128_si512(_mm_loadu_si128(from.cast())) };
        }
        let mut at = ROWS;
        for side in sides.iter() {
            let (fours, rest) = side.quads().as_chunks::<4>();
            for acts in fours {
                // SAFETY: eight words lie behind the reference; AVX by the token.
                let acts = self.spread(unsafe { _mm256_loadu_si256(acts.as_ptr().cast()) });
                for (sum, from) in sums.as_flattened_mut().iter_mut().zip(from.as_flattened()) {
                    // SAFETY: for each four quads a block has sixteen words of weights; AVX-512F by the
                    // token.
                    let words = unsafe { _mm512_loadu_si512(from.wrapping_add(at).cast()) };
                    *sum = self.multiply(*sum, words, acts);
                }
                at += 4 * ROWS;
            }
            let (two, one) = rest.as_chunks::<2>();
            if let Some(acts) = two.first() {
                // SAFETY: four words lie behind the reference; AVX by the token.
                let acts = unsafe { _mm256_zextsi128_si256(_mm_loadu_si128(acts.as_ptr().cast())) };
                let acts = self.spread(acts);
                for (sum, from) in sums.as_flattened_mut().iter_mut().zip(from.as_flattened()) {
                    // SAFETY: for two quads a block has eight words of weights; AVX-512F by the token.
                    let words =
                        unsafe { _mm512_zextsi256_si512(_mm256_loadu_si256(from.wrapping_add(at).cast())) };
                    *sum = self.multiply(*sum, words, acts);
                }
                at += 2 * ROWS;
            }
            if let Some(&[a01, a23]) = one.first() {
                let acts = [self.splat_i32(a01), self.splat_i32(a23)];
                for (sum, from) in sums.as_flattened_mut().iter_mut().zip(from.as_flattened()) {
                    // SAFETY: for a last quad a block has four words of weights; AVX-512F by the token.
                    let words =
                        unsafe { _mm512_zextsi128_si512(_mm_loadu_si128(from.wrapping_add(at).cast())) };
                    *sum = self.multiply(*sum, words, acts);
                }
                at += ROWS;
            }
        }
        let mut quads = [self.splat_i32(0); Q];
        for (quad, sums) in quads.iter_mut().zip(sums) {
            *quad = self.add_up(sums);
        }
        quads
    }

    /// Adds the products of words of weights to sums: those of their halves with the second activations, and
    /// of the halves of the words shifted by a byte with the first.
    #[inline(always)]
    fn multiply(self, sums: __m512i, words: __m512i, [a01, a23]: [__m512i; 2]) -> __m512i {
        avx512!({
            let sums = _mm512_dpwssd_epi32(sums, words, a23);
            _mm512_dpwssd_epi32(sums, _mm512_slli_epi32::<8>(words), a01)
        })
    }

    /// Returns the first activations of four quads, those of each quad in a quarter, then their second.
    #[inline(always)]
    fn spread(self, acts: __m256i) -> [__m512i; 2] {
        avx512!({
            let acts = _mm512_castsi256_si512(acts);
            let first = _mm512_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2, 4, 4, 4, 4, 6, 6, 6, 6);
            let second = _mm512_setr_epi32(1, 1, 1, 1, 3, 3, 3, 3, 5, 5, 5, 5, 7, 7, 7, 7);
            [_mm512_permutexvar_epi32(first, acts), _mm512_permutexvar_epi32(second, acts)]
        })
    }

    /// Adds up the four quarters of each of four blocks; returns the quad.
    #[inline(always)]
    fn add_up(self, s: [__m512i; QUAD]) -> __m512i {
        avx512!({
            let ab = _mm512_add_epi32(
                _mm512_shuffle_i64x2::<0x44>(s[0], s[1]),
                _mm512_shuffle_i64x2::<0xee>(s[0], s[1]),
            );
            let cd = _mm512_add_epi32(
                _mm512_shuffle_i64x2::<0x44>(s[2], s[3]),
                _mm512_shuffle_i64x2::<0xee>(s[2], s[3]),
            );
            _mm512_add_epi32(_mm512_shuffle_i64x2::<0x88>(ab, cd), _mm512_shuffle_i64x2::<0xdd>(ab, cd))
        })
    }

    /// Computes [`mulh`](crate::isa::mulh).
    #[inline(always)]
    fn mulh(self, a: __m512i, b: __m512i) -> __m512i {
        avx512!({
            let even = _mm512_srli_epi64::<32>(_mm512_mul_epi32(a, b));
            let odd = _mm512_mul_epi32(_mm512_srli_epi64::<32>(a), _mm512_srli_epi64::<32>(b));
            _mm512_mask_blend_epi32(0b1010_1010_1010_1010, even, odd)
        })
    }

    /// Returns the rows of all blocks, one block per lane.
    #[inline(always)]
    fn rows_of_quads(self, [a, b, c, d]: [__m512i; QUAD]) -> [__m512i; ROWS] {
        avx512!({
            let first = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
            let second = _mm512_setr_epi32(2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31);
            let (ab01, ab23) =
                (_mm512_permutex2var_epi32(a, first, b), _mm512_permutex2var_epi32(a, second, b));
            let (cd01, cd23) =
                (_mm512_permutex2var_epi32(c, first, d), _mm512_permutex2var_epi32(c, second, d));
            [
                _mm512_shuffle_i64x2::<0x44>(ab01, cd01),
                _mm512_shuffle_i64x2::<0xee>(ab01, cd01),
                _mm512_shuffle_i64x2::<0x44>(ab23, cd23),
                _mm512_shuffle_i64x2::<0xee>(ab23, cd23),
            ]
        })
    }
}
