//! Sixteen `f32` at once in the products and in tanh, two gates of a panel side by side; eight in everything
//! else.

use super::{Avx512, avx512};
use crate::format::LANES;
use crate::isa::tanh::float::tanh;
use crate::isa::{Arithmetic, Float, FloatWeight, Part};
use core::arch::x86_64::*;

impl Arithmetic for Avx512 {
    type V = __m256;
    const FUSED: bool = true;

    #[inline(always)]
    fn splat(self, value: f32) -> __m256 {
        avx512!(_mm256_set1_ps(value))
    }
    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        avx512!(_mm256_mul_ps(a, b))
    }
    #[inline(always)]
    fn div(self, a: __m256, b: __m256) -> __m256 {
        avx512!(_mm256_div_ps(a, b))
    }
    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        avx512!(_mm256_fmadd_ps(a, b, c))
    }
    #[inline(always)]
    fn min(self, a: __m256, b: __m256) -> __m256 {
        avx512!(_mm256_min_ps(a, b))
    }
    #[inline(always)]
    fn max(self, a: __m256, b: __m256) -> __m256 {
        avx512!(_mm256_max_ps(a, b))
    }
}

/// The same on full registers.
#[derive(Clone, Copy)]
struct Wide(Avx512);

impl Arithmetic for Wide {
    type V = __m512;
    const FUSED: bool = true;

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        avx512!(_mm512_set1_ps(value))
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_mul_ps(a, b))
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_div_ps(a, b))
    }
    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        avx512!(_mm512_fmadd_ps(a, b, c))
    }
    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_min_ps(a, b))
    }
    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_max_ps(a, b))
    }
}

impl Float for Avx512 {
    type Panel = __m256;
    const WIDTH: usize = LANES;
    // Twelve of the 32 registers; eight already hide the latency of an FMA, and sixteen were no faster.
    const SUMS: usize = 24;

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

    // Two gates of a panel lie side by side in a row, so that one load brings the weights of both. The last
    // of an odd number of gates is paired with that of the next panel.
    #[inline(always)]
    fn accumulate<W: FloatWeight, const G: usize, const P: usize>(
        self,
        sums: &mut [[__m256; G]; P],
        rows: [&[[[W; LANES]; G]]; P],
        x: &[f32],
    ) {
        let shortest = rows.iter().fold(x.len(), |n, rows| n.min(rows.len()));
        let zero = avx512!(_mm512_setzero_ps());
        let mut pairs = [[zero; MOST_PAIRS]; P];
        let mut singles = [zero; P];
        for p in 0..P {
            for j in 0..G / 2 {
                pairs[p][j] = self.both(sums[p][2 * j], sums[p][2 * j + 1]);
            }
            if G % 2 == 1 && p % 2 == 0 {
                singles[p] = self.both(sums[p][G - 1], sums[(p + 1) % P][G - 1]);
            }
        }
        for k in 0..shortest {
            // SAFETY: k < shortest <= x.len().
            let x = Wide(self).splat(unsafe { *x.get_unchecked(k) });
            for p in 0..P {
                // SAFETY: k < shortest <= rows[p].len(), of every p.
                let (row, next) = unsafe { (rows[p].get_unchecked(k), rows[(p + 1) % P].get_unchecked(k)) };
                for j in 0..G / 2 {
                    let weights = self.both(W::panel(self, &row[2 * j]), W::panel(self, &row[2 * j + 1]));
                    pairs[p][j] = Wide(self).mul_add(weights, x, pairs[p][j]);
                }
                if G % 2 == 1 && p % 2 == 0 {
                    let weights = self.both(W::panel(self, &row[G - 1]), W::panel(self, &next[G - 1]));
                    singles[p] = Wide(self).mul_add(weights, x, singles[p]);
                }
            }
        }
        for p in 0..P {
            for j in 0..G / 2 {
                [sums[p][2 * j], sums[p][2 * j + 1]] = self.halves(pairs[p][j]);
            }
            if G % 2 == 1 {
                sums[p][G - 1] = self.halves(singles[p - p % 2])[p % 2];
            }
        }
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

    // Two in a full register: a division of sixteen takes as long as two of eight, everything else half.
    #[inline(always)]
    fn two_tanh(self, a: __m256, b: __m256) -> (__m256, __m256) {
        let [a, b] = self.halves(tanh(Wide(self), self.both(a, b)));
        (a, b)
    }
}

/// The most pairs of gates that a cell has.
const MOST_PAIRS: usize = 2;

impl Avx512 {
    /// Joins two halves.
    #[inline(always)]
    fn both(self, low: __m256, high: __m256) -> __m512 {
        avx512!(_mm512_insertf32x8::<1>(_mm512_castps256_ps512(low), high))
    }

    /// Returns the two halves.
    #[inline(always)]
    fn halves(self, v: __m512) -> [__m256; 2] {
        avx512!([_mm512_castps512_ps256(v), _mm512_extractf32x8_ps::<1>(v)])
    }
}
