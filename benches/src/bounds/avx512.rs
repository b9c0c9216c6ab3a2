//! The loops in AVX-512 and VNNI. The intrinsics here access no memory, so they are safe where the features
//! are enabled; a value of [`Avx512`] proves that the CPU has them.

use std::arch::x86_64::*;
use std::hint::black_box;

use super::Block;

/// Accumulators in flight: two units with a latency of four cycles keep eight busy.
const ACCUMULATORS: usize = 12;
const LANES: usize = 16;

/// Multiply-adds per round.
pub const MULTIPLY_ADDS: usize = ACCUMULATORS * LANES;

/// Proof that this CPU has AVX-512.
#[derive(Clone, Copy)]
pub struct Avx512(());

impl Avx512 {
    /// Returns the proof if this CPU has the features.
    pub fn new() -> Option<Self> {
        let has = std::is_x86_feature_detected!("avx512f")
            && std::is_x86_feature_detected!("avx512bw")
            && std::is_x86_feature_detected!("avx512vnni");
        has.then_some(Self(()))
    }

    /// Computes f32 multiply-adds on registers.
    #[allow(unsafe_code, reason = "calls a function of AVX-512")]
    pub fn multiply_adds(self, times: u64) {
        // SAFETY: a value of `Avx512` exists, so `Avx512::new` has found the features on this CPU.
        unsafe { multiply_adds(times) }
    }

    /// Reads all of `weights`, `times` times.
    #[allow(unsafe_code, reason = "calls a function of AVX-512")]
    pub fn read(self, weights: &[Block], times: u64) {
        // SAFETY: as above.
        unsafe { read(weights, times) }
    }

    /// Reads all of `weights`, multiplies the halves of each word by i16 as they are and shifted by a byte,
    /// and adds the products, `times` times.
    #[allow(unsafe_code, reason = "calls a function of AVX-512")]
    pub fn widen(self, weights: &[Block], times: u64) {
        // SAFETY: as above.
        unsafe { widen(weights, times) }
    }
}

#[target_feature(enable = "avx512f")]
fn multiply_adds(times: u64) {
    // Opaque start values, else the compiler merges the equal accumulators.
    let mut sums = black_box([[0.5f32; LANES]; ACCUMULATORS]).map(bytemuck::cast::<_, __m512>);
    let factor = _mm512_set1_ps(black_box(0.5));
    for _ in 0..times {
        for sum in &mut sums {
            *sum = _mm512_fmadd_ps(*sum, factor, factor);
        }
    }
    black_box(sums);
}

/// Reads two streams: beyond the second-level cache the prefetchers load more of two than of one.
#[target_feature(enable = "avx512f")]
fn read(weights: &[Block], times: u64) {
    let mut seen = [_mm512_setzero_si512(); 4];
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

#[target_feature(enable = "avx512f")]
#[inline]
fn see(seen: &mut [__m512i; 4], block: &Block) {
    for (seen, part) in seen.iter_mut().zip(block.as_chunks::<64>().0) {
        *seen = _mm512_or_si512(*seen, bytemuck::cast(*part));
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn widen(weights: &[Block], times: u64) {
    let acts = bytemuck::cast(black_box([-3i16; 32]));
    let mut sums = [_mm512_setzero_si512(); 8];
    for _ in 0..times {
        for block in black_box(weights) {
            for (sums, part) in sums.as_chunks_mut::<2>().0.iter_mut().zip(block.as_chunks::<64>().0) {
                let weights = bytemuck::cast(*part);
                sums[0] = _mm512_dpwssd_epi32(sums[0], weights, acts);
                sums[1] = _mm512_dpwssd_epi32(sums[1], _mm512_slli_epi32::<8>(weights), acts);
            }
        }
    }
    black_box(sums);
}
