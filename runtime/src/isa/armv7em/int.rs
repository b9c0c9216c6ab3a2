//! Four rows at once: `SXTB16` widens two weights, `SMLAD` multiplies and adds two.

use super::Armv7em;
use crate::activation::int::{mulr, shl_sat, tanh};
use crate::isa::portable::scalar_int;
use crate::isa::{Int, Side};
use core::arch::asm;

scalar_int!(Armv7em, dot);

/// Blocks of `R` rows; all blocks have four.
#[inline(always)]
fn dot<const R: usize>(weights: &[i32], acts: &[i32]) -> [i32; R] {
    const { assert!(R == 4) };
    let sums = dot4(weights, acts);
    core::array::from_fn(|r| sums[r % 4])
}

/// The multiply-adds of one row over four activations in `$a` (0 1) and `$b` (2 3), weights 0 2 1 3 in `$w`.
macro_rules! quad {
    ($sum:literal, $w:literal, $a:literal, $b:literal) => {
        concat!(
            "sxtb16 r12, ",
            $w,
            "\n",
            "smlad ",
            $sum,
            ", r12, ",
            $a,
            ", ",
            $sum,
            "\n",
            "sxtb16 r12, ",
            $w,
            ", ror #8\n",
            "smlad ",
            $sum,
            ", r12, ",
            $b,
            ", ",
            $sum,
            "\n",
        )
    };
}

/// One row over eight activations in r2 to r5.
macro_rules! row8 {
    ($sum:literal) => {
        concat!("ldrd r6, r7, [r0], #8\n", quad!($sum, "r6", "r2", "r3"), quad!($sum, "r7", "r4", "r5"))
    };
}

/// One row over four activations in r2 and r3.
macro_rules! row4 {
    ($sum:literal) => {
        concat!("ldr r6, [r0], #4\n", quad!($sum, "r6", "r2", "r3"))
    };
}

/// Four rows over `pairs` of activations.
///
/// Eight activations a round: 39 instructions for 32 multiply-adds.
#[inline(always)]
fn dot4(weights: &[i32], pairs: &[i32]) -> [i32; 4] {
    let (eights, four) = pairs.as_chunks::<4>();
    let (mut s0, mut s1, mut s2, mut s3) = (0i32, 0i32, 0i32, 0i32);
    if weights.len() < 2 * pairs.len() {
        return [0; 4];
    }
    // SAFETY: reads 4 words of `pairs` and 8 of `weights` a round, `eights.len()` rounds, then 2 and 4 more where
    // `four` holds two words; `weights` is twice as long as `pairs`. Both are aligned to 4, as LDM and LDRD need.
    // r6 and r7, which the compiler keeps to itself, are restored, and so is the stack.
    unsafe {
        asm!(
            "push {{r2, r6, r7}}",
            "cmp r1, lr",
            "beq 3f",
            "2:",
            "ldmia r1!, {{r2, r3, r4, r5}}",
            row8!("r8"),
            row8!("r9"),
            row8!("r10"),
            row8!("r11"),
            "cmp r1, lr",
            "bne 2b",
            "3:",
            "ldr r2, [sp]",
            "cmp r2, #2",
            "blo 4f",
            "ldmia r1, {{r2, r3}}",
            row4!("r8"),
            row4!("r9"),
            row4!("r10"),
            row4!("r11"),
            "4:",
            "pop {{r2, r6, r7}}",
            inout("r0") weights.as_ptr() => _,
            inout("r1") pairs.as_ptr() => _,
            inout("r2") four.len() => _,
            out("r3") _, out("r4") _, out("r5") _,
            inout("r8") s0, inout("r9") s1, inout("r10") s2, inout("r11") s3,
            out("r12") _,
            inout("lr") eights.as_ptr_range().end => _,
            options(readonly),
        );
    }
    [s0, s1, s2, s3]
}
