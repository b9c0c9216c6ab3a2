//! tanh in integers: a table of chords, part of the specification (INTEGER.md).

use crate::format::PRE_FRAC;

/// The limit to which pre-activations are clamped, 8: tanh(8) is 1 - 2.3e-7.
pub const TANH_LIMIT: i32 = 8 << PRE_FRAC;
/// The number of intervals of the table over 0..8, each 1/64 wide.
const INTERVALS: usize = 512;
/// Bits of the width of an interval, in units of a pre-activation.
pub const INTERVAL_BITS: u32 = PRE_FRAC + 3 - INTERVALS.ilog2();

/// The start value (high 16 bits, unit 2^-15) and slope (low 16 bits, unit 2^-31 per 2^-16) of each interval.
///
/// Computed at compile time by `tanh_entry` in f64; IEEE arithmetic gives the same table everywhere, and a
/// test compares it with the CRC-32 in INTEGER.md.
pub static TANH_TABLE: [u32; INTERVALS] = {
    let mut table = [0; INTERVALS];
    let mut i = 0;
    while i < INTERVALS {
        table[i] = tanh_entry(i);
        i += 1;
    }
    table
};

/// Computes `tanh(p * 2^-16) * 2^31`, odd in the sense `tanh(!p) == !tanh(p)`; within +-(2^31 - 2^15).
///
/// Worst error over all inputs 3.03e-5 (at the saturated end, where the table stops at 32,767), mean 1.31e-5.
#[cfg(any(test, not(wasm128)))]
#[inline(always)]
pub fn tanh(p: i32) -> i32 {
    let sign = p >> 31;
    let p = p.clamp(-TANH_LIMIT, TANH_LIMIT - 1) ^ sign;
    let entry = TANH_TABLE[(p >> INTERVAL_BITS) as usize % INTERVALS] as i32;
    let fraction = p & ((1 << INTERVAL_BITS) - 1);
    entry.wrapping_add((entry as i16 as i32).wrapping_mul(fraction)) ^ sign
}

/// Computes the entry of interval `i`: a chord of tanh, moved up by half of its greatest distance, in the
/// units of the table.
///
/// An input `p` stands for the middle of its step, `p + 1/2`; the entry is used as `entry + slope *
/// fraction`, whose low half contributes `slope * (fraction + 1)`.
const fn tanh_entry(i: usize) -> u32 {
    const WIDTH: usize = 1 << INTERVAL_BITS;
    const STEP: f64 = 1.0 / (1u64 << PRE_FRAC) as f64;
    const ONE: f64 = (1u64 << 31) as f64;
    let first = ((i * WIDTH) as f64 + 0.5) * STEP;
    let last = first + (WIDTH - 1) as f64 * STEP;
    let (a, b) = (tanh_f64(first) * ONE, tanh_f64(last) * ONE);
    let middle = tanh_f64((first + last) / 2.0) * ONE;
    let bulge = middle - (a + b) / 2.0;
    let slope = ((b - a) / (WIDTH - 1) as f64 + 0.5) as u32;
    let start = (a + bulge / 2.0 - slope as f64) / 65536.0 + 0.5;
    let start = if start > 32767.0 { 32767 } else { start as u32 };
    start << 16 | slope
}

/// Computes tanh in f64 for 0..=8 by `exp(-2x)`, itself a Taylor series of a 64th of its argument squared six
/// times.
const fn tanh_f64(x: f64) -> f64 {
    let y = -2.0 * x / 64.0;
    let mut term = 1.0;
    let mut exp = 1.0;
    let mut k = 1;
    while k < 20 {
        term *= y / k as f64;
        exp += term;
        k += 1;
    }
    let mut squarings = 0;
    while squarings < 6 {
        exp *= exp;
        squarings += 1;
    }
    (1.0 - exp) / (1.0 + exp)
}
