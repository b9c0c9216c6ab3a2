//! Four rows at once, with the sums in r8 to r11. On ARMv6-M only additions and moves reach these, so all low
//! registers are free for activations and weights. ARMv7-M adds products to them.

use super::Thumb;
#[cfg(armv7m)]
use crate::isa::mulr;
use crate::isa::scalar::{self, scalar_int};
use crate::isa::{Int, Sides};
use core::arch::naked_asm;

scalar_int!(Thumb, rows, mulr);

/// Computes [`Int::rows`] of one block.
#[inline(always)]
fn rows<const R: usize, const SIDES: usize>(block: &[i32], sides: &Sides<'_, SIDES>) -> [i32; R] {
    scalar::rows(block, sides, four_rows)
}

/// Computes [`mulr`](crate::isa::mulr) from four products of half-words: 64-bit products are a call of a
/// library function that takes twice as long. No sum overflows: a product of a half-word with and one without
/// sign is at most 2^31 - 98,303, the others of its sum are at most 65,534 and 2^15.
#[cfg(not(armv7m))]
#[inline(never)]
fn mulr(a: i32, b: i32) -> i32 {
    let (a_low, a_high) = (a & 0xffff, a >> 16);
    let (b_low, b_high) = (b & 0xffff, b >> 16);
    let low = ((a_low as u32).wrapping_mul(b_low as u32) >> 16) as i32;
    let first = a_high.wrapping_mul(b_low).wrapping_add(low).wrapping_add(1 << 15);
    let second = a_low.wrapping_mul(b_high).wrapping_add(first & 0xffff);
    a_high.wrapping_mul(b_high).wrapping_add(first >> 16).wrapping_add(second >> 16)
}

/// Scales the sum in `$sum` by the next multiplier at r0, as [`mulh`](crate::isa::mulh) does, and writes it
/// to r7.
#[cfg(armv7m)]
macro_rules! scale {
    ($sum:literal) => {
        concat!("ldmia r0!, {{r1}}\n", "smull r1, r2, ", $sum, ", r1\n", "stmia r7!, {{r2}}\n")
    };
}

/// Scales the sum in `$sum` by the next multiplier at r0, as [`mulh`](crate::isa::mulh) does, and writes it
/// to r7: four products of half-words, as in [`mulr`].
#[cfg(not(armv7m))]
macro_rules! scale {
    ($sum:literal) => {
        concat!(
            "mov r1, ",
            $sum,
            "\n",
            "ldmia r0!, {{r2}}\n",
            "asrs r3, r1, #16\n",
            "uxth r1, r1\n",
            "asrs r4, r2, #16\n",
            "uxth r2, r2\n",
            "mov r5, r1\n",
            "muls r5, r2, r5\n",
            "lsrs r5, r5, #16\n",
            "muls r2, r3, r2\n",
            "adds r2, r2, r5\n",
            "muls r1, r4, r1\n",
            "uxth r5, r2\n",
            "adds r1, r1, r5\n",
            "muls r3, r4, r3\n",
            "asrs r2, r2, #16\n",
            "adds r3, r3, r2\n",
            "asrs r1, r1, #16\n",
            "adds r3, r3, r1\n",
            "stmia r7!, {{r3}}\n",
        )
    };
}

/// Multiplies and adds one row over four activations in r2 to r5; the word of its weights is the next at r0.
/// Ten instructions.
#[cfg(armv7m)]
macro_rules! row {
    ($sum:literal) => {
        concat!(
            "ldmia r0!, {{r6}}\n",
            "sxth r7, r6\n",
            "mla ",
            $sum,
            ", r7, r4, ",
            $sum,
            "\n",
            "asrs r7, r6, #16\n",
            "mla ",
            $sum,
            ", r7, r5, ",
            $sum,
            "\n",
            "lsls r6, r6, #8\n",
            "sxth r7, r6\n",
            "mla ",
            $sum,
            ", r7, r2, ",
            $sum,
            "\n",
            "asrs r7, r6, #16\n",
            "mla ",
            $sum,
            ", r7, r3, ",
            $sum,
            "\n",
        )
    };
}

/// Multiplies and adds one row over four activations in r2 to r5; the word of its weights is the next at r0.
/// Fourteen instructions.
#[cfg(not(armv7m))]
macro_rules! row {
    ($sum:literal) => {
        concat!(
            "ldmia r0!, {{r6}}\n",
            "sxth r7, r6\n",
            "muls r7, r4, r7\n",
            "add ",
            $sum,
            ", ",
            $sum,
            ", r7\n",
            "asrs r7, r6, #16\n",
            "muls r7, r5, r7\n",
            "add ",
            $sum,
            ", ",
            $sum,
            ", r7\n",
            "lsls r6, r6, #8\n",
            "sxth r7, r6\n",
            "muls r7, r2, r7\n",
            "add ",
            $sum,
            ", ",
            $sum,
            ", r7\n",
            "asrs r6, r6, #16\n",
            "muls r6, r3, r6\n",
            "add ",
            $sum,
            ", ",
            $sum,
            ", r6\n",
        )
    };
}

/// Multiplies and adds four rows over the next four activations at r1, with the weights at r0: 63
/// instructions with the loop for 16 multiply-adds.
macro_rules! quad {
    () => {
        concat!(
            "ldmia r1!, {{r3, r5}}\n",
            "sxth r2, r3\n",
            "asrs r3, r3, #16\n",
            "sxth r4, r5\n",
            "asrs r5, r5, #16\n",
            row!("r8"),
            row!("r9"),
            row!("r10"),
            row!("r11"),
        )
    };
}

/// The [`scalar::FourRows`] of the instruction set.
#[unsafe(naked)]
unsafe extern "C" fn four_rows(_block: *const i32, _sides: *const (), _p: *mut i32) {
    naked_asm!(
        "push {{r4-r7, lr}}",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "push {{r2-r7}}",
        "mov lr, r1",
        "ldmia r0!, {{r4-r7}}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        "2:",
        "mov r3, lr",
        "ldmia r3!, {{r1, r2}}",
        "mov lr, r3",
        "mov r12, r2",
        "cmp r1, r2",
        "bne 3f",
        "b 4f",
        "3:",
        quad!(),
        "cmp r1, r12",
        "bne 3b",
        "b 2b",
        "4:",
        "ldr r7, [sp]",
        scale!("r8"),
        scale!("r9"),
        scale!("r10"),
        scale!("r11"),
        "add sp, sp, #8",
        "pop {{r4-r7}}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        "pop {{r4-r7, pc}}",
    )
}
