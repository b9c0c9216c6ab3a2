//! Four rows at once, with the sums in r8 to r11. On ARMv6-M only additions and moves reach these, so all low
//! registers are free for activations and weights. ARMv7-M adds products to them and widens any byte of a
//! word with one instruction.

use super::Thumb;
#[cfg(armv7m)]
use crate::isa::mulr;
use crate::isa::scalar::{self, scalar_int};
use crate::isa::{Int, Side};
use core::arch::naked_asm;

scalar_int!(Thumb, rows, mulr);

/// Computes [`Int::rows`] of one block.
#[inline(always)]
fn rows<const R: usize, const SIDES: usize>(block: &[i32], sides: [Side<'_>; SIDES]) -> [i32; R] {
    scalar::rows(block, sides, dot, mulr)
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

/// Computes the sums of products of four rows (FORMAT.md has the order of their weights). A last word of
/// activations without a second one is left out.
#[inline(always)]
fn dot<const R: usize>(weights: &[i32], acts: &[i32]) -> [i32; R] {
    const { assert!(R == 4) };
    let acts = acts.as_chunks::<2>().0.as_flattened();
    let (eights, four) = acts.as_chunks::<4>();
    let mut sums = [0; R];
    if weights.len() / R < acts.len() / 2 {
        return sums;
    }
    let end = eights.as_ptr_range().end;
    let groups = Groups { eights: end.cast(), four: four.len() };
    // SAFETY: the activations are whole pairs of words, and the weights are as many words as the loop reads,
    // four for each pair. `sums` is four words.
    unsafe { four_rows(weights.as_ptr(), acts.as_ptr(), &groups, sums.as_mut_ptr()) };
    sums
}

/// The end of a side's activations in groups of eight, and the words of a last group of four.
#[repr(C)]
struct Groups {
    eights: *const i32,
    four: usize,
}

/// Multiplies and adds one row over four activations in r4, r2, r5, r3; the word of its weights 0, 2, 1, 3 is
/// at `r0 + $at`. Nine instructions.
#[cfg(armv7m)]
macro_rules! row {
    ($sum:literal, $at:literal) => {
        concat!(
            "ldr r6, [r0, #",
            $at,
            "]\n",
            "sxtb r7, r6\n",
            "mla ",
            $sum,
            ", r7, r4, ",
            $sum,
            "\n",
            "sxtb r7, r6, ror #8\n",
            "mla ",
            $sum,
            ", r7, r5, ",
            $sum,
            "\n",
            "sxtb r7, r6, ror #16\n",
            "mla ",
            $sum,
            ", r7, r2, ",
            $sum,
            "\n",
            "asrs r6, r6, #24\n",
            "mla ",
            $sum,
            ", r6, r3, ",
            $sum,
            "\n",
        )
    };
}

/// Multiplies and adds one row over four activations in r4, r2, r5, r3; the word of its weights 0, 2, 1, 3 is
/// at `r0 + $at`. Fifteen instructions.
#[cfg(not(armv7m))]
macro_rules! row {
    ($sum:literal, $at:literal) => {
        concat!(
            "ldr r6, [r0, #",
            $at,
            "]\n",
            "sxtb r7, r6\n",
            "muls r7, r4, r7\n",
            "add ",
            $sum,
            ", ",
            $sum,
            ", r7\n",
            "lsls r7, r6, #16\n",
            "asrs r7, r7, #24\n",
            "muls r7, r5, r7\n",
            "add ",
            $sum,
            ", ",
            $sum,
            ", r7\n",
            "lsls r7, r6, #8\n",
            "asrs r7, r7, #24\n",
            "muls r7, r2, r7\n",
            "add ",
            $sum,
            ", ",
            $sum,
            ", r7\n",
            "asrs r6, r6, #24\n",
            "muls r6, r3, r6\n",
            "add ",
            $sum,
            ", ",
            $sum,
            ", r6\n",
        )
    };
}

/// Multiplies and adds four rows over the next four activations at r1: 65 instructions for 16 multiply-adds,
/// 41 on ARMv7-M.
macro_rules! quad {
    ($a:literal $b:literal $c:literal $d:literal) => {
        concat!(
            "ldmia r1!, {{r2, r3}}\n",
            "sxth r4, r2\n",
            "asrs r2, r2, #16\n",
            "sxth r5, r3\n",
            "asrs r3, r3, #16\n",
            row!("r8", $a),
            row!("r9", $b),
            row!("r10", $c),
            row!("r11", $d),
        )
    };
}

/// Writes the sums of products of four rows to `sums`.
///
/// # Safety
/// From `acts` on there are whole groups of four words up to `groups.eights`, and two words more unless
/// `groups.four` is 0; `weights` holds eight words for each group, and four more. `sums` has room for four.
#[unsafe(naked)]
unsafe extern "C" fn four_rows(_weights: *const i32, _acts: *const i32, _groups: &Groups, _sums: *mut i32) {
    naked_asm!(
        "push {{r4-r7, lr}}",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "push {{r2-r7}}",
        "ldr r4, [r2]",
        "mov r12, r4",
        "movs r4, #0",
        "mov r8, r4",
        "mov r9, r4",
        "mov r10, r4",
        "mov r11, r4",
        "cmp r1, r12",
        "bne 2f",
        "b 3f",
        "2:",
        quad!("0" "8" "16" "24"),
        quad!("4" "12" "20" "28"),
        "adds r0, r0, #32",
        "cmp r1, r12",
        "beq 3f",
        "b 2b",
        "3:",
        "ldr r2, [sp]",
        "ldr r2, [r2, #4]",
        "cmp r2, #0",
        "beq 4f",
        quad!("0" "4" "8" "12"),
        "4:",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "pop {{r2, r3}}",
        "stmia r3!, {{r4-r7}}",
        "pop {{r4-r7}}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        "pop {{r4-r7, pc}}",
    )
}
