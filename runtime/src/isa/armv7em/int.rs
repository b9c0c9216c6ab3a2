//! Four rows at once: `SMLAD` multiplies and adds two weights of a word, and shifted left by a byte the two
//! others; `SMMUL` scales a sum.

use super::Armv7em;
use crate::isa::scalar::scalar_int;
use crate::isa::{Int, Sides, mulr};
use core::arch::{asm, naked_asm};

scalar_int!(
    Armv7em,
    rows,
    mulr,
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
    let (p0, p1, p2, p3): (i32, i32, i32, i32);
    // SAFETY: the block is as long as its sides need, and these end as `four_rows` requires.
    unsafe {
        asm!(
            "bl {four_rows}",
            four_rows = sym four_rows,
            inout("r0") block.as_ptr() => p0,
            inout("r12") core::ptr::from_ref(sides) => _,
            out("r1") p1, out("r2") p2, out("r3") p3, out("lr") _,
            options(readonly),
        );
    }
    let p = [p0, p1, p2, p3];
    core::array::from_fn(|r| p[r % 4])
}

/// The core that the assembler assumes in a naked function, which does not take the target's features.
#[cfg(armv8m)]
macro_rules! cpu {
    () => {
        ".cpu cortex-m33"
    };
}
#[cfg(not(armv8m))]
macro_rules! cpu {
    () => {
        ""
    };
}

/// Multiplies and adds one row over four activations in r2 (0 1) and r3 (2 3); the word of its weights is
/// lost.
macro_rules! row {
    ($sum:literal, $w:literal) => {
        concat!(
            "smlad ", $sum, ", ", $w, ", r3, ", $sum, "\n", "lsl ", $w, ", ", $w, ", #8\n", "smlad ", $sum,
            ", ", $w, ", r2, ", $sum, "\n",
        )
    };
}

/// Multiplies and adds four rows over the next four activations at r1, with the weights at r0: 14
/// instructions for 16 multiply-adds.
macro_rules! quad {
    () => {
        concat!(
            "ldmia r1!, {{r2, r3}}\n",
            "ldmia r0!, {{r4, r5, r6, r7}}\n",
            row!("r8", "r4"),
            row!("r9", "r5"),
            row!("r10", "r6"),
            row!("r11", "r7"),
        )
    };
}

/// Computes four pre-activations.
///
/// In: r0 the block, r12 the sides, up to one that ends where it begins. Out: r0 to r3; r12 and lr are lost.
/// Reads 4 words of start values, 4 of weights for each quad of activations, and 4 multipliers. All are
/// aligned to 4, as LDM needs.
#[unsafe(naked)]
unsafe extern "C" fn four_rows() {
    naked_asm!(
        cpu!(),
        "push {{r4-r11, lr}}",
        "ldmia r0!, {{r8-r11}}",
        "2:",
        "ldmia r12!, {{r1, lr}}",
        "subs r2, lr, r1",
        "beq 5f",
        // An odd number of quads begins with the second of a round.
        "lsls r2, r2, #28",
        "bmi 4f",
        "3:",
        quad!(),
        "4:",
        quad!(),
        "cmp r1, lr",
        "bne 3b",
        "b 2b",
        "5:",
        "ldmia r0!, {{r2, r3, r4, r5}}",
        "smmul r0, r8, r2",
        "smmul r1, r9, r3",
        "smmul r2, r10, r4",
        "smmul r3, r11, r5",
        "pop {{r4-r11, pc}}",
    )
}
