//! Eight blocks at once: dot products block by block with `vpmaddwd`, everything after it eight blocks to a
//! vector.
//!
//! Between the two a vector holds two blocks, one row per lane. Where each row is a unit, of blocks `2 j` and
//! `2 j + 1`, that is the order of the units. Else, of blocks `j` and `j + 4`, four of them transposed within
//! halves are the four rows with one block per lane.

use super::blocks::{Blocks, ROWS, copy};
use super::{Avx2, avx2};
use crate::isa::tanh::int::TANH_TABLE;
use crate::isa::{Int, Sides};
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
        sides: &Sides<'_, SIDES>,
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
        sides: &Sides<'_, SIDES>,
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
        sides: &Sides<'_, SIDES>,
        order: impl Fn(usize) -> [usize; 2] + Copy,
    ) -> [__m256i; ROWS] {
        let mut quads = [self.splat_i32(0); ROWS];
        let Some(blocks) = Blocks::<BLOCKS>::new(blocks, stride, at, sides) else {
            debug_assert!(false, "blocks shorter than their rows");
            return quads;
        };
        [quads[0], quads[1]] = self.two(&blocks, at, sides, [order(0), order(1)]);
        if blocks.present > order(2)[0] {
            [quads[2], quads[3]] = self.two(&blocks, at, sides, [order(2), order(3)]);
        }
        quads
    }

    /// Computes two vectors of the pre-activations of two blocks each.
    #[inline(always)]
    fn two<const SIDES: usize>(
        self,
        blocks: &Blocks<'_, BLOCKS>,
        at: usize,
        sides: &Sides<'_, SIDES>,
        [first, second]: [[usize; 2]; 2],
    ) -> [__m256i; 2] {
        let [a, b, c, d] = self.sums(blocks, at, sides, [first[0], first[1], second[0], second[1]]);
        let multipliers = at + sides.words(ROWS) - ROWS;
        [
            self.mulh(self.add_up(a, b), self.two_quads(blocks, multipliers, first)),
            self.mulh(self.add_up(c, d), self.two_quads(blocks, multipliers, second)),
        ]
    }

    /// Adds up the two halves of each of two blocks.
    #[inline(always)]
    fn add_up(self, a: __m256i, b: __m256i) -> __m256i {
        avx2!(_mm256_add_epi32(
            _mm256_permute2x128_si256::<0x20>(a, b),
            _mm256_permute2x128_si256::<0x31>(a, b)
        ))
    }

    /// Computes the sums of products of four blocks: those of the quads 0, 2, 4 ... in the low half, and of
    /// the others in the high half, one row per lane.
    #[inline(always)]
    fn sums<const SIDES: usize>(
        self,
        blocks: &Blocks<'_, BLOCKS>,
        at: usize,
        sides: &Sides<'_, SIDES>,
        order: [usize; 4],
    ) -> [__m256i; 4] {
        let mut sums = [self.splat_i32(0); 4];
        for (sum, j) in sums.iter_mut().zip(order) {
            // SAFETY: `at` is where the start values begin, four words that every block of `Blocks` has; AVX
            // by the token.
            *sum = unsafe { _mm256_zextsi128_si256(_mm_loadu_si128(blocks.at(j, at).cast())) };
        }
        let mut at = at + ROWS;
        for side in sides.iter() {
            let (pairs, last) = side.quads().as_chunks::<2>();
            for pair in pairs {
                let acts = self.acts(pair);
                for (sum, j) in sums.iter_mut().zip(order) {
                    // SAFETY: for each two quads a block has eight words of weights; AVX by the token.
                    let words = unsafe { _mm256_loadu_si256(blocks.at(j, at).cast()) };
                    *sum = self.multiply(*sum, words, acts);
                }
                at += 2 * ROWS;
            }
            if let [quad] = last {
                let acts = [self.splat_i32(quad[0]), self.splat_i32(quad[1])];
                for (sum, j) in sums.iter_mut().zip(order) {
                    // SAFETY: for a last quad a block has four words of weights; AVX by the token.
                    let words = unsafe { _mm256_zextsi128_si256(_mm_loadu_si128(blocks.at(j, at).cast())) };
                    *sum = self.multiply(*sum, words, acts);
                }
                at += ROWS;
            }
        }
        sums
    }

    /// Adds the products of words of weights to sums: those of their halves with the second activations, and
    /// of the halves of the words shifted by a byte with the first.
    #[inline(always)]
    fn multiply(self, sums: __m256i, words: __m256i, [a01, a23]: [__m256i; 2]) -> __m256i {
        avx2!({
            let low = _mm256_madd_epi16(_mm256_slli_epi32::<8>(words), a01);
            _mm256_add_epi32(sums, _mm256_add_epi32(low, _mm256_madd_epi16(words, a23)))
        })
    }

    /// Loads two quads: their first activations, those of each quad in a half, then their second.
    #[inline(always)]
    fn acts(self, quads: &[[i32; 2]; 2]) -> [__m256i; 2] {
        // SAFETY: four words lie behind the reference; AVX2 by the token.
        unsafe {
            let acts = _mm256_castsi128_si256(_mm_loadu_si128(quads.as_ptr().cast()));
            [
                _mm256_permutevar8x32_epi32(acts, _mm256_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2)),
                _mm256_permutevar8x32_epi32(acts, _mm256_setr_epi32(1, 1, 1, 1, 3, 3, 3, 3)),
            ]
        }
    }

    /// Computes [`mulh`](crate::isa::mulh).
    #[inline(always)]
    fn mulh(self, a: __m256i, b: __m256i) -> __m256i {
        avx2!({
            let even = _mm256_srli_epi64::<32>(_mm256_mul_epi32(a, b));
            let odd = _mm256_mul_epi32(_mm256_srli_epi64::<32>(a), _mm256_srli_epi64::<32>(b));
            _mm256_blend_epi32::<0b1010_1010>(even, odd)
        })
    }

    /// Loads four words at `at` of two blocks.
    #[inline(always)]
    fn two_quads(self, blocks: &Blocks<'_, BLOCKS>, at: usize, [low, high]: [usize; 2]) -> __m256i {
        let (low, high) = (blocks.at(low, at).cast::<__m128i>(), blocks.at(high, at).cast::<__m128i>());
        // SAFETY: `at` is where multipliers begin, four words that every block of `Blocks` has;
        // AVX2 by the token.
        unsafe {
            _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(_mm_loadu_si128(low)), _mm_loadu_si128(high))
        }
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
}
