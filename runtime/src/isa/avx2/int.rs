//! Eight blocks at once: dot products block by block with `vpmaddwd`, everything after it eight blocks to a
//! vector.
//!
//! Between the two a vector holds two blocks, one row per lane. Where each row is a unit, of blocks `2 j` and
//! `2 j + 1`, that is the order of the units. Else, of blocks `j` and `j + 4`, four of them transposed within
//! halves are the four rows with one block per lane.

use super::blocks::{Blocks, ROWS, copy};
use super::{Avx2, avx2};
use crate::isa::tanh::int::TANH_TABLE;
use crate::isa::{Int, Side};
use core::arch::x86_64::*;

const BLOCKS: usize = 8;

impl Int for Avx2 {
    type W = __m256i;
    const BLOCKS: usize = BLOCKS;

    #[inline(always)]
    fn rows<const R: usize, const SIDES: usize>(
        self,
        blocks: &[i32],
        stride: usize,
        at: usize,
        sides: [Side<'_>; SIDES],
    ) -> [__m256i; R] {
        let quads = self.quads(blocks, stride, at, sides, |j| [j, j + 4]);
        let mut rows = [quads[0]; R];
        rows.copy_from_slice(&self.transpose(quads));
        rows
    }

    #[inline(always)]
    fn units<const R: usize, const SIDES: usize>(
        self,
        blocks: &[i32],
        stride: usize,
        at: usize,
        sides: [Side<'_>; SIDES],
    ) -> [__m256i; R] {
        let quads = self.quads(blocks, stride, at, sides, |j| [2 * j, 2 * j + 1]);
        let mut units = [quads[0]; R];
        units.copy_from_slice(&quads);
        units
    }

    #[inline(always)]
    fn groups<'a, T: 'a>(values: &'a mut [T]) -> impl Iterator<Item = &'a mut [T]> {
        values.chunks_mut(BLOCKS)
    }

    #[inline(always)]
    fn load_i32(self, values: &[i32]) -> __m256i {
        let mut few = [0; BLOCKS];
        let values = values.first_chunk().unwrap_or_else(|| {
            few.iter_mut().zip(values).for_each(|(few, &v)| *few = v);
            &few
        });
        // SAFETY: eight words lie behind the reference; AVX by the token.
        unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
    }

    #[inline(always)]
    fn load_i16<const R: usize>(self, values: &[i16]) -> [__m256i; R] {
        let mut vectors = [self.splat_i32(0); R];
        for (vector, values) in vectors.iter_mut().zip(values.chunks(BLOCKS)) {
            let mut few = [0; BLOCKS];
            let values = values.first_chunk().unwrap_or_else(|| {
                copy(values, &mut few);
                &few
            });
            // SAFETY: eight values lie behind the reference; AVX2 by the token.
            *vector = unsafe {
                let values = _mm_loadu_si128(values.as_ptr().cast());
                _mm256_slli_epi32::<16>(_mm256_cvtepi16_epi32(values))
            };
        }
        vectors
    }

    #[inline(always)]
    fn store_i32<const R: usize>(self, v: [__m256i; R], out: &mut [i32]) {
        for (out, v) in out.chunks_mut(BLOCKS).zip(v) {
            let mut few = [0; BLOCKS];
            let whole = out.first_chunk_mut().unwrap_or(&mut few);
            // SAFETY: eight words lie behind the reference; AVX by the token.
            unsafe { _mm256_storeu_si256(whole.as_mut_ptr().cast(), v) };
            if out.len() < BLOCKS {
                copy(&few, out);
            }
        }
    }

    #[inline(always)]
    fn store_i16<const R: usize>(self, v: [__m256i; R], out: &mut [i16]) {
        for (out, v) in out.chunks_mut(BLOCKS).zip(v) {
            let packed = avx2!(_mm256_permute4x64_epi64::<0b1000>(_mm256_packs_epi32(v, v)));
            let mut few = [0; BLOCKS];
            let whole = out.first_chunk_mut().unwrap_or(&mut few);
            // SAFETY: eight i16 lie behind the reference; AVX by the token.
            unsafe { _mm_storeu_si128(whole.as_mut_ptr().cast(), _mm256_castsi256_si128(packed)) };
            if out.len() < BLOCKS {
                copy(&few, out);
            }
        }
    }

    #[inline(always)]
    fn splat_i32(self, value: i32) -> __m256i {
        avx2!(_mm256_set1_epi32(value))
    }
    #[inline(always)]
    fn add_i32(self, a: __m256i, b: __m256i) -> __m256i {
        avx2!(_mm256_add_epi32(a, b))
    }
    #[inline(always)]
    fn sub_i32(self, a: __m256i, b: __m256i) -> __m256i {
        avx2!(_mm256_sub_epi32(a, b))
    }
    #[inline(always)]
    fn half(self, a: __m256i) -> __m256i {
        avx2!(_mm256_srai_epi32::<1>(a))
    }

    // Even and odd lanes go through 64-bit products, whose high halves are the result.
    #[inline(always)]
    fn mulr(self, a: __m256i, b: __m256i) -> __m256i {
        avx2!({
            let nearest = _mm256_set1_epi64x(1 << 31);
            let even = _mm256_add_epi64(_mm256_mul_epi32(a, b), nearest);
            let odd = _mm256_mul_epi32(_mm256_srli_epi64::<32>(a), _mm256_srli_epi64::<32>(b));
            let odd = _mm256_add_epi64(odd, nearest);
            _mm256_blend_epi32::<0b1010_1010>(_mm256_srli_epi64::<32>(even), odd)
        })
    }

    #[inline(always)]
    fn shr(self, a: __m256i, by: u32) -> __m256i {
        avx2!(_mm256_sra_epi32(a, _mm_cvtsi32_si128((by & 31) as i32)))
    }

    #[inline(always)]
    fn shl(self, a: __m256i, by: u32) -> __m256i {
        avx2!(_mm256_sll_epi32(a, _mm_cvtsi32_si128((by & 31) as i32)))
    }

    #[inline(always)]
    fn shr_round<const N: u32>(self, a: __m256i) -> __m256i {
        let raised = self.add_i32(a, self.splat_i32(1 << (N - 1)));
        avx2!(_mm256_sra_epi32(raised, _mm_cvtsi32_si128(N as i32)))
    }
    #[inline(always)]
    fn clamp(self, a: __m256i, low: i32, high: i32) -> __m256i {
        avx2!(_mm256_min_epi32(_mm256_max_epi32(a, self.splat_i32(low)), self.splat_i32(high)))
    }

    #[inline(always)]
    fn tanh_i32(self, p: __m256i) -> __m256i {
        let sign = avx2!(_mm256_srai_epi32::<31>(p));
        let p = avx2!(_mm256_xor_si256(self.clamp(p, -(8 << 16), (8 << 16) - 1), sign));
        let interval = avx2!(_mm256_srli_epi32::<10>(p));
        // SAFETY: 0 <= p < 2^19 after the clamp, so interval < 512 = TANH_TABLE.len(); AVX2 by the token.
        let entry = unsafe { _mm256_i32gather_epi32::<4>(TANH_TABLE.as_ptr().cast(), interval) };
        avx2!({
            let fraction = _mm256_and_si256(p, _mm256_set1_epi32(0x3ff));
            // Slope and fraction are below 2^15, so one 16-bit product is all of it; the fraction's high half
            // is 0.
            let y = _mm256_add_epi32(entry, _mm256_madd_epi16(entry, fraction));
            _mm256_xor_si256(y, sign)
        })
    }
}

impl Avx2 {
    /// Computes the pre-activations of four rows of each block, two blocks to a vector: those of vector `j`
    /// are `order(j)`.
    #[inline(always)]
    fn quads<const SIDES: usize>(
        self,
        blocks: &[i32],
        stride: usize,
        at: usize,
        sides: [Side<'_>; SIDES],
        order: impl Fn(usize) -> [usize; 2] + Copy,
    ) -> [__m256i; ROWS] {
        let mut quads = [self.splat_i32(0); ROWS];
        let Some(blocks) = Blocks::<BLOCKS>::new(blocks, stride, at, sides) else {
            debug_assert!(false, "blocks shorter than their rows");
            return quads;
        };
        for (j, quad) in quads.iter_mut().enumerate() {
            *quad = self.two_quads(&blocks, at, order(j));
        }
        let mut at = at + ROWS;
        for side in sides {
            let [a, b] = self.parts(&blocks, at, side, [order(0), order(1)]);
            quads[0] = self.add_i32(quads[0], a);
            quads[1] = self.add_i32(quads[1], b);
            if blocks.present > order(2)[0] {
                let [a, b] = self.parts(&blocks, at, side, [order(2), order(3)]);
                quads[2] = self.add_i32(quads[2], a);
                quads[3] = self.add_i32(quads[3], b);
            }
            at += side.words(ROWS);
        }
        quads
    }

    /// Loads four words at `at` of two blocks.
    #[inline(always)]
    fn two_quads(self, blocks: &Blocks<'_, BLOCKS>, at: usize, [low, high]: [usize; 2]) -> __m256i {
        let (low, high) = (blocks.at(low, at).cast::<__m128i>(), blocks.at(high, at).cast::<__m128i>());
        // SAFETY: `at` is where biases or multipliers begin, four words that every block of `Blocks` has;
        // AVX2 by the token.
        unsafe {
            _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(_mm_loadu_si128(low)), _mm_loadu_si128(high))
        }
    }

    /// Computes the part that a side, whose multipliers are at `at`, adds to two vectors of two blocks each.
    #[inline(always)]
    fn parts(
        self,
        blocks: &Blocks<'_, BLOCKS>,
        at: usize,
        side: Side<'_>,
        [a, b]: [[usize; 2]; 2],
    ) -> [__m256i; 2] {
        let weights = [a[0], a[1], b[0], b[1]].map(|j| blocks.at(j, at + ROWS));
        let [x, y] = self.dot(weights, side.acts);
        [
            self.mulr(self.shl(x, side.shift.into()), self.two_quads(blocks, at, a)),
            self.mulr(self.shl(y, side.shift.into()), self.two_quads(blocks, at, b)),
        ]
    }

    /// Computes the sums of products of four blocks of `Blocks` whose weights of a side begin at `weights`:
    /// those of the first and second block in the halves of the first vector, of the third and fourth in
    /// those of the second, one row per lane.
    #[inline(always)]
    fn dot(self, weights: [*const i32; 4], acts: &[i32]) -> [__m256i; 2] {
        let zero = self.splat_i32(0);
        let mut sums = [[zero; 2]; 4]; // of each block: rows 0 | 1 and rows 2 | 3, four partial sums each
        let (eights, four) = acts.as_chunks::<4>();
        for (k, acts) in eights.iter().enumerate() {
            let acts = self.acts8(acts);
            for (sums, weights) in sums.iter_mut().zip(weights) {
                let words = weights.wrapping_add(8 * k);
                // SAFETY: for each four words of activations a block has eight of weights.
                let (a, b) = unsafe { (self.widen(words), self.widen(words.wrapping_add(4))) };
                sums[0] = avx2!(_mm256_add_epi32(sums[0], _mm256_madd_epi16(a, acts)));
                sums[1] = avx2!(_mm256_add_epi32(sums[1], _mm256_madd_epi16(b, acts)));
            }
        }
        // Rows 0 and 2 in the low half, 1 and 3 in the high half, two partial sums each.
        let mut pairs = [zero; 4];
        for (pair, [a, b]) in pairs.iter_mut().zip(sums) {
            *pair = avx2!(_mm256_hadd_epi32(a, b));
        }
        if let Some(acts) = four.first_chunk() {
            let acts = self.acts4(acts);
            for (pair, weights) in pairs.iter_mut().zip(weights) {
                // SAFETY: for the last two words of activations a block has four of weights.
                let rows = unsafe { self.widen(weights.wrapping_add(8 * eights.len())) };
                let products = avx2!(_mm256_madd_epi16(rows, acts));
                *pair = avx2!(_mm256_add_epi32(*pair, _mm256_permute4x64_epi64::<0b11_01_10_00>(products)));
            }
        }
        let order = avx2!(_mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
        let [a, b, c, d] = pairs;
        let (first, second) = avx2!((_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d)));
        avx2!([_mm256_permutevar8x32_epi32(first, order), _mm256_permutevar8x32_epi32(second, order)])
    }

    /// Loads eight activations into both halves, in the order of the weights: 0, 2, 1, 3 of each four.
    #[inline(always)]
    fn acts8(self, acts: &[i32; 4]) -> __m256i {
        // SAFETY: four words lie behind the reference; AVX by the token.
        let acts = unsafe { _mm_loadu_si128(acts.as_ptr().cast()) };
        avx2!(_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(acts), self.order_0213()))
    }

    /// Loads four activations, four times over, in the order of the weights.
    #[inline(always)]
    fn acts4(self, acts: &[i32; 2]) -> __m256i {
        // SAFETY: two words lie behind the reference; AVX by the token.
        let acts = unsafe { _mm_loadl_epi64(acts.as_ptr().cast()) };
        avx2!(_mm256_shuffle_epi8(_mm256_broadcastq_epi64(acts), self.order_0213()))
    }

    /// Loads sixteen bytes as `i16`.
    ///
    /// # Safety
    /// Four words can be read from `words`.
    #[inline(always)]
    unsafe fn widen(self, words: *const i32) -> __m256i {
        // SAFETY: the caller's promise; AVX2 by the token.
        unsafe { _mm256_cvtepi8_epi16(_mm_loadu_si128(words.cast())) }
    }

    /// Transposes four by four within each half.
    #[inline(always)]
    fn transpose(self, s: [__m256i; 4]) -> [__m256i; 4] {
        avx2!({
            let a = _mm256_unpacklo_epi32(s[0], s[1]);
            let b = _mm256_unpacklo_epi32(s[2], s[3]);
            let c = _mm256_unpackhi_epi32(s[0], s[1]);
            let d = _mm256_unpackhi_epi32(s[2], s[3]);
            [
                _mm256_unpacklo_epi64(a, b),
                _mm256_unpackhi_epi64(a, b),
                _mm256_unpacklo_epi64(c, d),
                _mm256_unpackhi_epi64(c, d),
            ]
        })
    }

    /// Returns the byte shuffle that brings each four `i16` into the order 0, 2, 1, 3.
    #[inline(always)]
    fn order_0213(self) -> __m256i {
        avx2!(_mm256_broadcastsi128_si256(_mm_setr_epi8(
            0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15
        )))
    }
}
