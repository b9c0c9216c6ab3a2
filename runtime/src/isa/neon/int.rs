//! Four blocks at once. `SMLAL` multiplies four half-words and adds them to four sums of 32 bits, so the two
//! products of a word stay apart until the end of a row: six instructions for the 16 multiply-adds of a
//! block and a quad, beside the two that repeat the activations for all four blocks.

use super::Neon;
use crate::isa::four_lanes::{WIDTH, four_lanes_int};
use crate::isa::tanh::int::{INTERVAL_BITS, TANH_LIMIT, TANH_TABLE};
use crate::isa::{Int, Sides};
use core::arch::aarch64::*;
use core::arch::asm;

impl Int for Neon {
    four_lanes_int!(int32x4_t, Sums, load, repeat, lanes, transpose);

    #[inline(always)]
    fn splat_i32(self, value: i32) -> int32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vdupq_n_s32(value) }
    }
    #[inline(always)]
    fn add_i32(self, a: int32x4_t, b: int32x4_t) -> int32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vaddq_s32(a, b) }
    }
    #[inline(always)]
    fn sub_i32(self, a: int32x4_t, b: int32x4_t) -> int32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vsubq_s32(a, b) }
    }
    #[inline(always)]
    fn half(self, a: int32x4_t) -> int32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vshrq_n_s32::<1>(a) }
    }
    #[inline(always)]
    fn mulr(self, a: int32x4_t, b: int32x4_t) -> int32x4_t {
        // SAFETY: the target has NEON.
        unsafe {
            let low = vmull_s32(vget_low_s32(a), vget_low_s32(b));
            vrshrn_high_n_s64::<32>(vrshrn_n_s64::<32>(low), vmull_high_s32(a, b))
        }
    }
    #[inline(always)]
    fn shr(self, a: int32x4_t, by: u32) -> int32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vshlq_s32(a, vdupq_n_s32(0i32.wrapping_sub(by as i32))) }
    }
    #[inline(always)]
    fn shl(self, a: int32x4_t, by: u32) -> int32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vshlq_s32(a, vdupq_n_s32(by as i32)) }
    }
    // `SRSHL` rounds halves up, and its sum does not overflow.
    #[inline(always)]
    fn shr_round(self, a: int32x4_t, by: u32) -> int32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vrshlq_s32(a, vdupq_n_s32(0i32.wrapping_sub(by as i32))) }
    }
    #[inline(always)]
    fn clamp(self, a: int32x4_t, low: i32, high: i32) -> int32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vminq_s32(vmaxq_s32(a, vdupq_n_s32(low)), vdupq_n_s32(high)) }
    }

    #[inline(always)]
    fn tanh_i32(self, p: int32x4_t) -> int32x4_t {
        let p_clamped = self.clamp(p, -TANH_LIMIT, TANH_LIMIT - 1);
        // SAFETY: the target has NEON.
        unsafe {
            let sign = vshrq_n_s32::<31>(p);
            let q = veorq_s32(p_clamped, sign);
            let interval = lanes(vshrq_n_s32::<{ INTERVAL_BITS as i32 }>(q));
            let entry = load(&interval.map(|i| TANH_TABLE[i as usize % TANH_TABLE.len()] as i32));
            let fraction = vandq_s32(q, vdupq_n_s32((1 << INTERVAL_BITS) - 1));
            let slope = vandq_s32(entry, vdupq_n_s32(0xffff));
            veorq_s32(vmlaq_s32(entry, slope, fraction), sign)
        }
    }
}

/// The four sums of a block, each in two parts: those of the low and of the high halves of its words.
#[derive(Clone, Copy)]
struct Sums {
    /// The parts of rows 0 and 1, of rows 2 and 3.
    parts: [int32x4_t; 2],
}

impl Sums {
    /// Returns sums that start at `words`.
    #[inline(always)]
    fn start(words: &[i32; WIDTH]) -> Self {
        let start = load(words);
        // SAFETY: the target has NEON.
        unsafe {
            let zero = vdupq_n_s32(0);
            Self { parts: [vzip1q_s32(start, zero), vzip2q_s32(start, zero)] }
        }
    }

    /// Adds the products of a word of weights per row: those of its halves with the second activations, and
    /// of the halves of the word shifted by a byte with the first.
    #[inline(always)]
    fn add(&mut self, words: &[i32; WIDTH], [a01, a23]: [int32x4_t; 2]) {
        let words = load(words);
        // SAFETY: the target has NEON.
        unsafe {
            let shifted = vreinterpretq_s16_s32(vshlq_n_s32::<8>(words));
            let words = vreinterpretq_s16_s32(words);
            let (a01, a23) = (vreinterpretq_s16_s32(a01), vreinterpretq_s16_s32(a23));
            let [low, high] = self.parts;
            let low = vmlal_s16(low, vget_low_s16(shifted), vget_low_s16(a01));
            let high = vmlal_high_s16(high, shifted, a01);
            self.parts =
                [vmlal_s16(low, vget_low_s16(words), vget_low_s16(a23)), vmlal_high_s16(high, words, a23)];
        }
    }

    /// Returns the [`mulh`](crate::isa::mulh) of each sum and its multiplier.
    #[inline(always)]
    fn scale(self, multipliers: &[i32; WIDTH]) -> int32x4_t {
        let multipliers = load(multipliers);
        // SAFETY: the target has NEON.
        unsafe {
            let sums = vpaddq_s32(self.parts[0], self.parts[1]);
            let low = vmull_s32(vget_low_s32(sums), vget_low_s32(multipliers));
            let high = vmull_high_s32(sums, multipliers);
            vuzp2q_s32(vreinterpretq_s32_s64(low), vreinterpretq_s32_s64(high))
        }
    }
}

/// Loads four words.
#[inline(always)]
fn load(words: &[i32; WIDTH]) -> int32x4_t {
    // SAFETY: sixteen bytes lie behind the reference; the target has NEON.
    unsafe { vld1q_s32(words.as_ptr()) }
}

/// Returns a word in all lanes. In assembly: a compiler that knows the halves of the vector to be equal takes
/// the low one for both, and an instruction more for the high half of each weight that it is multiplied with.
#[inline(always)]
fn repeat(word: &i32) -> int32x4_t {
    let all;
    // SAFETY: a word lies behind the reference; the target has NEON.
    unsafe {
        asm!(
            "ld1r {{{all:v}.4s}}, [{word}]",
            word = in(reg) word, all = lateout(vreg) all,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    all
}

/// Returns the lanes of a vector.
#[inline(always)]
fn lanes(v: int32x4_t) -> [i32; WIDTH] {
    let mut lanes = [0; WIDTH];
    // SAFETY: sixteen bytes lie behind the reference; the target has NEON.
    unsafe { vst1q_s32(lanes.as_mut_ptr(), v) };
    lanes
}

/// Transposes four by four.
#[inline(always)]
fn transpose([a, b, c, d]: [int32x4_t; WIDTH]) -> [int32x4_t; WIDTH] {
    // SAFETY: the target has NEON.
    unsafe {
        let pairs = |a, b| (vreinterpretq_s64_s32(vtrn1q_s32(a, b)), vreinterpretq_s64_s32(vtrn2q_s32(a, b)));
        let ((ab_even, ab_odd), (cd_even, cd_odd)) = (pairs(a, b), pairs(c, d));
        [
            vreinterpretq_s32_s64(vtrn1q_s64(ab_even, cd_even)),
            vreinterpretq_s32_s64(vtrn1q_s64(ab_odd, cd_odd)),
            vreinterpretq_s32_s64(vtrn2q_s64(ab_even, cd_even)),
            vreinterpretq_s32_s64(vtrn2q_s64(ab_odd, cd_odd)),
        ]
    }
}
