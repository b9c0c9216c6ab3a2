//! Four rows at once: `SXTB16` widens two weights, `SMLAD` multiplies and adds two.

use super::Armv7em;
use crate::activation::int::{mulr, shl_sat, tanh};
use crate::isa::portable::scalar_int;
use crate::isa::{Int, Side, portable};
use core::arch::asm;

scalar_int!(Armv7em, dot);

/// [`portable::dot`], in assembly for blocks of four rows.
#[inline(always)]
fn dot<const R: usize>(weights: &[i32], acts: &[i16]) -> [i32; R] {
    match bytemuck::try_cast_slice::<i16, i32>(acts) {
        Ok(pairs) if R == 4 && weights.len() >= acts.len() => {
            let sums = dot4(weights, pairs);
            core::array::from_fn(|r| sums[r % 4])
        }
        _ => portable::dot(weights, acts),
    }
}

/// The multiply-adds of one row over four activations in `$a` (0 1) and `$b` (2 3), weights 0 2 1 3 in `$w`.
macro_rules! quad {
    ($sum:literal, $w:literal, $a:literal, $b:literal) => {
        concat!(
            "sxtb16 r12, ", $w, "\n",
            "smlad ", $sum, ", r12, ", $a, ", ", $sum, "\n",
            "sxtb16 r12, ", $w, ", ror #8\n",
            "smlad ", $sum, ", r12, ", $b, ", ", $sum, "\n",
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

/// Four rows over `pairs` of activations; `weights` holds at least twice as many words.
///
/// Eight activations a round: 39 instructions for 32 multiply-adds.
#[inline(always)]
fn dot4(weights: &[i32], pairs: &[i32]) -> [i32; 4] {
    let (eights, four) = pairs.as_chunks::<4>();
    let (mut s0, mut s1, mut s2, mut s3) = (0i32, 0i32, 0i32, 0i32);
    // SAFETY: reads 4 words of `pairs` and 8 of `weights` a round, `eights.len()` rounds, then 2 and 4 more where
    // `four` holds two pairs; the caller has seen that `weights` is twice as long as `pairs`. Both are aligned to 4, as
    // LDM and LDRD need. r6 and r7, which the compiler keeps to itself, are restored.
    unsafe {
        asm!(
            "push {{r6, r7}}",
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
            "pop {{r6, r7}}",
            inout("r0") weights.as_ptr() => _,
            inout("r1") eights.as_ptr() => _,
            out("r2") _, out("r3") _, out("r4") _, out("r5") _,
            inout("r8") s0, inout("r9") s1, inout("r10") s2, inout("r11") s3,
            out("r12") _,
            inout("lr") eights.as_ptr_range().end => _,
            options(readonly),
        );
        if four.len() >= 2 {
            asm!(
                "push {{r6, r7}}",
                "ldmia r1, {{r2, r3}}",
                row4!("r8"),
                row4!("r9"),
                row4!("r10"),
                row4!("r11"),
                "pop {{r6, r7}}",
                inout("r0") weights.as_ptr().add(8 * eights.len()) => _,
                in("r1") four.as_ptr(),
                out("r2") _, out("r3") _,
                inout("r8") s0, inout("r9") s1, inout("r10") s2, inout("r11") s3,
                out("r12") _,
                options(readonly),
            );
        }
    }
    [s0, s1, s2, s3]
}
