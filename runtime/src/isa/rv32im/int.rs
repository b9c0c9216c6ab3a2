//! Four rows at once. Loads extend bytes and half-words by themselves, so a multiply-add is a load, a
//! multiplication and an addition. In plain Rust the compiler loads all operands of a group first and then
//! keeps half of the products on the stack.

use super::Rv32im;
use crate::isa::scalar::{self, scalar_int};
use crate::isa::{Int, Side, mulr};
use core::arch::naked_asm;

scalar_int!(Rv32im, rows, mulr);

/// Computes [`Int::rows`] of one block.
#[inline(always)]
fn rows<const R: usize, const SIDES: usize>(block: &[i32], sides: [Side<'_>; SIDES]) -> [i32; R] {
    scalar::rows(block, sides, dot, mulr)
}

/// Computes the sums of products of four rows (FORMAT.md has the order of their weights). A last word of
/// activations without a second one is left out.
#[inline(always)]
fn dot<const R: usize>(weights: &[i32], acts: &[i32]) -> [i32; R] {
    const { assert!(R == 4) };
    let acts = acts.as_chunks::<2>().0.as_flattened();
    let mut sums = [0; R];
    if weights.len() / R < acts.len() / 2 {
        return sums;
    }
    let (eights, four) = acts.as_chunks::<4>();
    let end = eights.as_ptr_range().end.cast();
    // SAFETY: the activations are whole pairs of words, and the weights are as many words as the loop reads,
    // four for each pair. `sums` is four words.
    unsafe { four_rows(weights.as_ptr(), acts.as_ptr(), end, four.len(), sums.as_mut_ptr()) };
    sums
}

/// Multiplies and adds one row over four activations in t0 to t3; the word of its weights 0, 2, 1, 3 is at
/// `a0 + $at`. Twelve instructions; no value is used by the instruction after its load.
macro_rules! row {
    ($sum:literal, $at:literal) => {
        concat!(
            "lb t4, ",
            $at,
            "(a0)\n",
            "lb t5, 1+",
            $at,
            "(a0)\n",
            "mul t4, t4, t0\n",
            "mul t5, t5, t2\n",
            "add ",
            $sum,
            ", ",
            $sum,
            ", t4\n",
            "add ",
            $sum,
            ", ",
            $sum,
            ", t5\n",
            "lb t4, 2+",
            $at,
            "(a0)\n",
            "lb t5, 3+",
            $at,
            "(a0)\n",
            "mul t4, t4, t1\n",
            "mul t5, t5, t3\n",
            "add ",
            $sum,
            ", ",
            $sum,
            ", t4\n",
            "add ",
            $sum,
            ", ",
            $sum,
            ", t5\n",
        )
    };
}

/// Multiplies and adds four rows over the four activations at `a1 + $x`: 52 instructions for 16
/// multiply-adds.
macro_rules! quad {
    ($x:literal: $a:literal $b:literal $c:literal $d:literal) => {
        concat!(
            "lh t0, ",
            $x,
            "(a1)\n",
            "lh t1, 2+",
            $x,
            "(a1)\n",
            "lh t2, 4+",
            $x,
            "(a1)\n",
            "lh t3, 6+",
            $x,
            "(a1)\n",
            row!("a5", $a),
            row!("a6", $b),
            row!("a7", $c),
            row!("t6", $d),
        )
    };
}

/// Writes the sums of products of four rows to `sums`.
///
/// # Safety
/// From `acts` to `end` there are whole groups of four words, and behind them two more unless `four` is 0;
/// `weights` holds eight words for each group, and four more. `sums` has room for four.
#[unsafe(naked)]
unsafe extern "C" fn four_rows(
    _weights: *const i32,
    _acts: *const i32,
    _end: *const i32,
    _four: usize,
    _sums: *mut i32,
) {
    // The assembler does not take the extensions of the target into a naked function.
    naked_asm!(
        ".option push",
        ".option arch, +m",
        "li a5, 0",
        "li a6, 0",
        "li a7, 0",
        "li t6, 0",
        "beq a1, a2, 3f",
        "2:",
        quad!("0": "0" "8" "16" "24"),
        quad!("8": "4" "12" "20" "28"),
        "addi a0, a0, 32",
        "addi a1, a1, 16",
        "bne a1, a2, 2b",
        "3:",
        "beqz a3, 4f",
        quad!("0": "0" "4" "8" "12"),
        "4:",
        "sw a5, 0(a4)",
        "sw a6, 4(a4)",
        "sw a7, 8(a4)",
        "sw t6, 12(a4)",
        "ret",
        ".option pop",
    )
}
