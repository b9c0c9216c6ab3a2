//! Four rows at once. Loads extend bytes and half-words by themselves, so most products are a load, a
//! multiplication and an addition. In plain Rust the compiler loads all operands of a group first and then
//! keeps half of the products on the stack.

use super::Rv32im;
use crate::isa::scalar::{self, scalar_int};
use crate::isa::{Int, Sides, mulr};
use core::arch::naked_asm;

scalar_int!(Rv32im, rows, mulr);

/// Computes [`Int::rows`] of one block.
#[inline(always)]
fn rows<const R: usize, const SIDES: usize>(block: &[i32], sides: &Sides<'_, SIDES>) -> [i32; R] {
    scalar::rows(block, sides, four_rows)
}

/// Multiplies and adds one row over four activations in t0 to t3, the first times 2^8; the word of its
/// weights is at `a0 + $at`. Fourteen instructions; no value is used by the instruction after its load.
macro_rules! row {
    ($sum:literal, $at:literal) => {
        concat!(
            "lb t4, ",
            $at,
            "(a0)\n",
            "lw t5, ",
            $at,
            "(a0)\n",
            "mul t4, t4, t0\n",
            "slli t5, t5, 8\n",
            "srai t5, t5, 16\n",
            "mul t5, t5, t1\n",
            "add ",
            $sum,
            ", ",
            $sum,
            ", t4\n",
            "lh t4, ",
            $at,
            "(a0)\n",
            "add ",
            $sum,
            ", ",
            $sum,
            ", t5\n",
            "lh t5, 2+",
            $at,
            "(a0)\n",
            "mul t4, t4, t2\n",
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

/// The [`scalar::FourRows`] of the instruction set: 64 instructions for 16 multiply-adds.
#[unsafe(naked)]
unsafe extern "C" fn four_rows(_block: *const i32, _sides: *const (), _p: *mut i32) {
    // The assembler does not take the extensions of the target into a naked function.
    naked_asm!(
        ".option push",
        ".option arch, +m",
        "lw a4, 0(a0)",
        "lw a5, 4(a0)",
        "lw a6, 8(a0)",
        "lw a7, 12(a0)",
        "addi a0, a0, 16",
        "2:",
        "lw a3, 0(a1)",
        "lw t6, 4(a1)",
        "addi a1, a1, 8",
        "beq a3, t6, 4f",
        "3:",
        "lh t0, 0(a3)",
        "lh t1, 2(a3)",
        "lh t2, 4(a3)",
        "lh t3, 6(a3)",
        "slli t0, t0, 8",
        row!("a4", "0"),
        row!("a5", "4"),
        row!("a6", "8"),
        row!("a7", "12"),
        "addi a3, a3, 8",
        "addi a0, a0, 16",
        "bne a3, t6, 3b",
        "j 2b",
        "4:",
        "lw t0, 0(a0)",
        "lw t1, 4(a0)",
        "lw t2, 8(a0)",
        "lw t3, 12(a0)",
        "mulh a4, a4, t0",
        "mulh a5, a5, t1",
        "mulh a6, a6, t2",
        "mulh a7, a7, t3",
        "sw a4, 0(a2)",
        "sw a5, 4(a2)",
        "sw a6, 8(a2)",
        "sw a7, 12(a2)",
        "ret",
        ".option pop",
    )
}
