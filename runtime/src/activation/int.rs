//! Activations in integers: INTEGER.md in code. Every function here is part of the specification.

use crate::format::{LINEAR_FRAC, PRE_FRAC, STATE_FRAC, WIDE_FRAC};
use crate::isa::Int;
use crate::isa::tanh::int::TANH_LIMIT;

/// The limit at which pre-activations of linear and relu candidates saturate: the last one that rounds to
/// 32,767, the largest state of a GRU.
pub const RANGE: i32 = (i16::MAX as i32) << (LINEAR_FRAC - STATE_FRAC) | 7;
/// The limit at which sigmoids of candidates saturate, so that rounding them to 16 bits cannot overflow.
pub const VALUE_LIMIT: i32 = i32::MAX - (1 << 16);

/// Computes `1/2 + tanh/2` with 31 fraction bits, given half the pre-activation.
#[inline(always)]
pub fn sigmoid_of_half<S: Int>(isa: S, half_p: S::W) -> S::W {
    isa.add_i32(isa.splat_i32(1 << 30), isa.half(isa.tanh_i32(half_p)))
}

/// Computes `t` of a hard sigmoid `1/2 + t/2` with 31 fraction bits: `clip(2 p, -1, 1)` of its folded
/// pre-activation.
#[inline(always)]
pub fn hard<S: Int>(isa: S, p: S::W) -> S::W {
    const LIMIT: i32 = 1 << (PRE_FRAC - 1);
    isa.shl(isa.clamp(p, -LIMIT, LIMIT - 1), 31 - (PRE_FRAC - 1))
}

/// Converts a wide pre-activation, of [`WIDE_FRAC`] fraction bits, to [`PRE_FRAC`] fraction bits; clamped to
/// +-8, as the table does anyway.
#[inline(always)]
pub fn narrowed<S: Int>(isa: S, p: S::W) -> S::W {
    const LIMIT: i32 = TANH_LIMIT >> (PRE_FRAC - WIDE_FRAC);
    isa.shl(isa.clamp(p, -LIMIT, LIMIT - 1), PRE_FRAC - WIDE_FRAC)
}

/// Computes a linear or relu candidate with 31 fraction bits of the cell's unit, not below `low`.
#[inline(always)]
pub fn ranged<S: Int>(isa: S, p: S::W, low: i32) -> S::W {
    isa.shl(isa.clamp(p, low, RANGE), 31 - LINEAR_FRAC)
}

/// `2^-f * 2^30` as a polynomial in `f = t * 2^-16`, 0 <= f < 1, highest power first, unit 2^-30.
///
/// Interpolates at the five Chebyshev points of 0..1; worst relative error 3.5e-6 (tested).
const EXP2: [i64; 5] = exp2_coefficients();

/// Computes softmax over pre-activations with [`PRE_FRAC`] fraction bits, in place; the results have the same
/// unit and add up to 65,536 except for the rounding of each.
///
/// `e_i = 2^(-(max - p_i) log2 e)` with 30 fraction bits, then `e_i * 2^16 / sum` by one division for all.
pub fn softmax(p: &mut [i32]) {
    /// log2(e), 16 fraction bits.
    const LOG2_E: u64 = 94_548;
    let max = p.iter().copied().max().unwrap_or(0);
    let mut sum = 0u64;
    for v in p.iter_mut() {
        let below = max.abs_diff(*v) as u64;
        *v = exp2_neg((below * LOG2_E) >> 16);
        sum += *v as u64;
    }
    let reciprocal = reciprocal(sum);
    for v in p.iter_mut() {
        *v = ((*v as u64 * reciprocal + (1 << 45)) >> 46) as i32;
    }
}

/// Computes `2^62 / sum`, rounded down; `sum` is at least 2^30, the term of the largest value.
///
/// One bit after another, in the same time for every sum, and without the library's division, which takes
/// more code on a microcontroller.
fn reciprocal(sum: u64) -> u64 {
    // The remainder after the first 30 of 63 bits, which are zeros.
    let (mut remainder, mut quotient) = (1u64 << 29, 0u64);
    for _ in 0..33 {
        remainder <<= 1;
        let fits = remainder >= sum;
        remainder = remainder.wrapping_sub(if fits { sum } else { 0 });
        quotient = quotient << 1 | u64::from(fits);
    }
    quotient
}

/// Computes `2^(-t * 2^-16)` with 30 fraction bits.
fn exp2_neg(t: u64) -> i32 {
    // No early return: the time of a step does not depend on its values.
    let shift = (t >> 16).min(31);
    let f = (t & 0xffff) as i64;
    let mut sum = 0i64;
    for c in EXP2 {
        sum = ((sum * f + (1 << 15)) >> 16) + c;
    }
    (sum >> shift) as i32
}

/// Computes Newton's divided differences through the Chebyshev points, expanded into powers.
const fn exp2_coefficients() -> [i64; 5] {
    // (1 + cos((2 k + 1) pi / 10)) / 2 and 2^-that, both to the last digit of an f64.
    const AT: [f64; 5] = [
        0.975_528_258_147_576_8,
        0.793_892_626_146_236_6,
        0.5,
        0.206_107_373_853_763_43,
        0.024_471_741_852_423_234,
    ];
    const LN_2: f64 = core::f64::consts::LN_2;
    let mut d = [0.0; 5];
    let mut i = 0;
    while i < 5 {
        d[i] = exp_small(-LN_2 * AT[i]);
        i += 1;
    }
    let mut order = 1;
    while order < 5 {
        let mut i = 4;
        while i >= order {
            d[i] = (d[i] - d[i - 1]) / (AT[i] - AT[i - order]);
            i -= 1;
        }
        order += 1;
    }
    // Horner on the Newton form, a polynomial at a time: p = p * (f - AT[i]) + d[i].
    let mut p = [0.0; 5];
    let mut i = 5;
    while i > 0 {
        i -= 1;
        let mut j = 4;
        while j > 0 {
            p[j] = p[j - 1] - AT[i] * p[j];
            j -= 1;
        }
        p[0] = d[i] - AT[i] * p[0];
    }
    let mut out = [0; 5];
    let mut i = 0;
    while i < 5 {
        let scaled = p[4 - i] * (1u64 << 30) as f64;
        out[i] = (if scaled < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i64;
        i += 1;
    }
    out
}

/// Computes `exp(x)` of a small `x` by its Taylor series.
const fn exp_small(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    let mut k = 1;
    while k < 24 {
        term *= x / k as f64;
        sum += term;
        k += 1;
    }
    sum
}

#[cfg(test)]
mod tests;
