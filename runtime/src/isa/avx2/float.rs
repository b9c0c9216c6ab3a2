//! Eight `f32` at once.

use super::{Avx2, avx2};
use crate::format::LANES;
use crate::isa::{Arithmetic, Float, FloatWeight, Part};
use core::arch::x86_64::*;

impl Arithmetic for Avx2 {
    type V = __m256;
    const FUSED: bool = true;

    #[inline(always)]
    fn splat(self, value: f32) -> __m256 {
        avx2!(_mm256_set1_ps(value))
    }
    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        avx2!(_mm256_mul_ps(a, b))
    }
    #[inline(always)]
    fn div(self, a: __m256, b: __m256) -> __m256 {
        avx2!(_mm256_div_ps(a, b))
    }
    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        avx2!(_mm256_fmadd_ps(a, b, c))
    }
    #[inline(always)]
    fn min(self, a: __m256, b: __m256) -> __m256 {
        avx2!(_mm256_min_ps(a, b))
    }
    #[inline(always)]
    fn max(self, a: __m256, b: __m256) -> __m256 {
        avx2!(_mm256_max_ps(a, b))
    }
}

impl Float for Avx2 {
    type Panel = __m256;
    const WIDTH: usize = LANES;
    // Twelve sums leave registers for the input and a weight; eight already hide the latency of an FMA.
    const SUMS: usize = 12;

    #[inline(always)]
    fn call<P: Part<Self>>(self, weights: &P::Weights, x: &[f32], h: &[f32], layer: &mut P::Layer) {
        self.call_part::<P>(weights, x, h, layer);
    }

    #[inline(always)]
    fn panel(self, values: &[f32; LANES]) -> __m256 {
        // SAFETY: eight floats lie behind the reference; AVX by the token.
        unsafe { _mm256_loadu_ps(values.as_ptr()) }
    }

    #[inline(always)]
    fn panel_binary16(self, values: &[u16; LANES]) -> __m256 {
        // SAFETY: sixteen bytes lie behind the reference; F16C by the token.
        unsafe { _mm256_cvtph_ps(_mm_loadu_si128(values.as_ptr().cast())) }
    }

    #[inline(always)]
    fn accumulate<W: FloatWeight, const G: usize, const P: usize>(
        self,
        sums: &mut [[__m256; G]; P],
        rows: [&[[[W; LANES]; G]]; P],
        x: &[f32],
    ) {
        let mut own = *sums; // A copy that nothing else can see, so that it stays in registers.
        let shortest = rows.iter().fold(x.len(), |n, rows| n.min(rows.len()));
        for k in 0..shortest {
            // SAFETY: k < shortest <= x.len().
            let x = self.splat(unsafe { *x.get_unchecked(k) });
            for p in 0..P {
                // SAFETY: k < shortest <= rows[p].len().
                let row = unsafe { rows[p].get_unchecked(k) };
                for g in 0..G {
                    own[p][g] = self.mul_add(W::panel(self, &row[g]), x, own[p][g]);
                }
            }
        }
        *sums = own;
    }

    #[inline(always)]
    fn take(self, panel: &__m256, _at: usize) -> __m256 {
        *panel
    }
    #[inline(always)]
    fn load(self, values: &[f32; LANES], _at: usize) -> __m256 {
        self.panel(values)
    }
    #[inline(always)]
    fn store(self, v: __m256, out: &mut [f32; LANES], _at: usize) {
        // SAFETY: eight floats lie behind the reference; AVX by the token.
        unsafe { _mm256_storeu_ps(out.as_mut_ptr(), v) }
    }
}
