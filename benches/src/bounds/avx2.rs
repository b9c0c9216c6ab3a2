//! The loops in AVX2 and FMA. The intrinsics here access no memory, so they are safe where the features are
//! enabled; a value of [`Avx2`] proves that the CPU has them.

use std::arch::x86_64::*;
use std::hint::black_box;

use super::Block;

/// Accumulators in flight: two units with a latency of four cycles keep eight busy, and all fit in sixteen
/// registers with the factors.
const ACCUMULATORS: usize = 12;
const LANES: usize = 8;

/// Multiply-adds per round.
pub const MULTIPLY_ADDS: usize = ACCUMULATORS * LANES;

/// Proof that this CPU has AVX2 and FMA.
#[derive(Clone, Copy)]
pub struct Avx2(());

impl Avx2 {
    /// Returns the proof if this CPU has the features.
    pub fn new() -> Option<Self> {
        let has = std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma");
        has.then_some(Self(()))
    }

    /// Computes f32 multiply-adds on registers.
    #[allow(unsafe_code, reason = "calls a function of AVX2 and FMA")]
    pub fn multiply_adds(self, times: u64) {
        // SAFETY: a value of `Avx2` exists, so `Avx2::new` has found the features on this CPU.
        unsafe { multiply_adds(times) }
    }

    /// Reads all of `weights`, `times` times.
    #[allow(unsafe_code, reason = "calls a function of AVX2")]
    pub fn read(self, weights: &[Block], times: u64) {
        // SAFETY: as above.
        unsafe { read(weights, times) }
    }

    /// Reads all of `weights`, multiplies the halves of each word by i16 as they are and shifted by a byte,
    /// and adds the products, `times` times.
    #[allow(unsafe_code, reason = "calls a function of AVX2")]
    pub fn widen(self, weights: &[Block], times: u64) {
        // SAFETY: as above.
        unsafe { widen(weights, times) }
    }
}

#[target_feature(enable = "avx2,fma")]
fn multiply_adds(times: u64) {
    // Opaque start values, else the compiler merges the equal accumulators.
    let mut sums = black_box([[0.5f32; LANES]; ACCUMULATORS]).map(bytemuck::cast::<_, __m256>);
    let factor = _mm256_set1_ps(black_box(0.5));
    for _ in 0..times {
        for sum in &mut sums {
            *sum = _mm256_fmadd_ps(*sum, factor, factor);
        }
    }
    black_box(sums);
}

/// Reads two streams: beyond the second-level cache the prefetchers load more of two than of one.
#[target_feature(enable = "avx2")]
fn read(weights: &[Block], times: u64) {
    let mut seen = [_mm256_setzero_si256(); 8];
    for _ in 0..times {
        let (first, second) = black_box(weights).split_at(weights.len() / 2);
        for (a, b) in first.iter().zip(second) {
            see(&mut seen, a);
            see(&mut seen, b);
        }
        for odd in &second[first.len()..] {
            see(&mut seen, odd);
        }
    }
    black_box(seen);
}

#[target_feature(enable = "avx2")]
#[inline]
fn see(seen: &mut [__m256i; 8], block: &Block) {
    for (seen, part) in seen.iter_mut().zip(block.as_chunks::<32>().0) {
        *seen = _mm256_or_si256(*seen, bytemuck::cast(*part));
    }
}

#[target_feature(enable = "avx2")]
fn widen(weights: &[Block], times: u64) {
    let acts = bytemuck::cast(black_box([-3i16; 16]));
    let mut sums = [_mm256_setzero_si256(); 8];
    for _ in 0..times {
        for block in black_box(weights) {
            for (sum, part) in sums.iter_mut().zip(block.as_chunks::<32>().0) {
                let weights = bytemuck::cast(*part);
                let shifted = _mm256_madd_epi16(_mm256_slli_epi32::<8>(weights), acts);
                *sum = _mm256_add_epi32(*sum, _mm256_add_epi32(shifted, _mm256_madd_epi16(weights, acts)));
            }
        }
    }
    black_box(sums);
}
