//! The integer half: products and whole steps of an Lstm in assembly, in `dsp` or `helium`.

use super::Armv7em;
#[cfg(not(helium))]
use super::dsp::{four_rows, gru, lstm};
#[cfg(helium)]
use super::helium::{four_rows, lstm};
#[cfg(not(helium))]
use crate::isa::IntGru;
use crate::isa::scalar::scalar_int;
use crate::isa::{Int, IntLstm, Sides, mulr};
use core::arch::asm;

scalar_int!(
    Armv7em, rows, mulr;
    const LSTM: bool = true;

    #[inline(always)]
    fn lstm(self, step: IntLstm<'_>) {
        lstm(step);
    }
    #[cfg(not(helium))]
    const GRU: bool = true;

    #[cfg(not(helium))]
    #[inline(always)]
    fn gru(self, step: IntGru<'_>) {
        gru(step);
    }
    #[inline(always)]
    fn saturate(self, x: &[i16], frac: u32, out: &mut [i16]) {
        saturate(x, frac, out);
    }
    // A product with a power of two, which `SMMLAR` adds in one instruction.
    #[inline(always)]
    fn add_rounded(self, a: i32, b: i32, by: u32) -> i32 {
        a.wrapping_add(mulr(b, 1i32.wrapping_shl(32u32.wrapping_sub(by))))
    }
);

/// Computes [`Int::rows`] of a block, which always has four rows.
#[inline(always)]
fn rows<const R: usize, const SIDES: usize>(block: &[i32], sides: &Sides<'_, SIDES>) -> [i32; R] {
    const { assert!(R == 4) };
    if block.len() < sides.words(R) {
        return [0; R];
    }
    // SAFETY: the block is as long as its sides need, and these end as `four_rows` requires.
    let p = unsafe { four_rows(block.as_ptr(), core::ptr::from_ref(sides).cast()) };
    core::array::from_fn(|r| p[r % 4])
}

/// Computes [`Int::saturate`] two values at a time.
#[inline(always)]
fn saturate(x: &[i16], frac: u32, out: &mut [i16]) {
    let (pairs, last) = x.as_chunks::<2>();
    let (to, to_last) = out.split_at_mut_checked(2 * pairs.len()).unwrap_or_default();
    for (to, &pair) in to.as_chunks_mut::<2>().0.iter_mut().zip(pairs) {
        *to = saturate_pair(pair, frac);
    }
    if let ([to, ..], [last, ..]) = (to_last, last) {
        [*to, _] = saturate_pair([*last, 0], frac);
    }
}

/// Saturates two values to +-2^`frac`: sums with the distance to the bounds of 16 bits, saturated to these,
/// and back again.
#[inline(always)]
fn saturate_pair(pair: [i16; 2], frac: u32) -> [i16; 2] {
    const BOTH: i32 = 0x1_0001;
    let end = 1i32.wrapping_shl(frac);
    let (up, down) = (0x7fffi32.wrapping_sub(end).max(0), 0x8000i32.wrapping_sub(end));
    let mut pair: i32 = bytemuck::cast(pair);
    // SAFETY: no memory is read or written.
    unsafe {
        asm!(
            "qadd16 {pair}, {pair}, {up}",
            "qsub16 {pair}, {pair}, {up}",
            "qsub16 {pair}, {pair}, {down}",
            "qadd16 {pair}, {pair}, {down}",
            pair = inout(reg) pair,
            up = in(reg) up.wrapping_mul(BOTH),
            down = in(reg) down.wrapping_mul(BOTH),
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    bytemuck::cast(pair)
}
