//! Four rows at once: `SXTB16` widens two weights, `SMLAD` multiplies and adds two, `SMMLAR` scales a sum and
//! adds it.

use super::Armv7em;
use crate::isa::scalar::scalar_int;
use crate::isa::{Int, Side, mulr};
use core::arch::{asm, naked_asm};

scalar_int!(Armv7em, rows, mulr);

/// Computes [`Int::rows`] of a block, which always has four rows, over one side or two.
#[inline(always)]
fn rows<const R: usize, const SIDES: usize>(block: &[i32], sides: [Side<'_>; SIDES]) -> [i32; R] {
    const { assert!(R == 4 && (SIDES == 1 || SIDES == 2)) };
    if block.len() < sides.iter().fold(R, |words, side| words + side.words(R)) {
        return [0; R];
    }
    let block = block.as_ptr();
    let (p0, p1, p2, p3): (i32, i32, i32, i32);
    match sides.map(Registers::new).as_slice() {
        // SAFETY: registers as `one_side` requires them; the block is as long as its side needs.
        [side] => unsafe {
            asm!(
                "bl {one_side}",
                one_side = sym one_side,
                inout("r0") block => _,
                in("r1") side.from, in("r2") side.last, in("r3") side.shift,
                out("r8") p0, out("r9") p1, out("r10") p2, out("r11") p3,
                out("lr") _,
                options(readonly),
            );
        },
        // SAFETY: registers as `two_sides` requires them; the block is as long as its sides need.
        [first, second] => unsafe {
            asm!(
                "bl {two_sides}",
                two_sides = sym two_sides,
                inout("r0") block => _,
                in("r1") first.from, in("r2") first.last, in("r3") first.shift,
                in("r4") second.from, in("r5") second.last, in("r12") second.shift,
                out("r8") p0, out("r9") p1, out("r10") p2, out("r11") p3,
                out("lr") _,
                options(readonly),
            );
        },
        _ => return [0; R],
    }
    let p = [p0, p1, p2, p3];
    core::array::from_fn(|r| p[r % 4])
}

/// A side in the registers that the functions below require.
struct Registers {
    from: *const [i32; 2],
    /// Address of the last two words.
    last: *const [i32; 2],
    shift: u32,
}

impl Registers {
    /// Converts a side, whose activations are whole pairs of words.
    #[inline(always)]
    fn new(side: Side<'_>) -> Self {
        let pairs = side.acts.as_chunks::<2>().0.as_ptr_range();
        Self { from: pairs.start, last: pairs.end.wrapping_sub(1), shift: u32::from(side.shift & 31) }
    }
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

/// Multiplies and adds one row over four activations in `$a` (0 1) and `$b` (2 3), weights 0 2 1 3 in `$w`.
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

/// Multiplies and adds one row over eight activations in r2 to r5.
macro_rules! row8 {
    ($sum:literal) => {
        concat!("ldrd r6, r7, [r0], #8\n", quad!($sum, "r6", "r2", "r3"), quad!($sum, "r7", "r4", "r5"))
    };
}

/// Multiplies and adds one row over four activations in r2 and r3.
macro_rules! row4 {
    ($sum:literal) => {
        concat!("ldr r6, [r0], #4\n", quad!($sum, "r6", "r2", "r3"))
    };
}

/// Computes the sums of products of a side: multipliers and weights from r0 on, activations from r1 on, r2
/// the address of their last pair of words. Leaves the sums in r8 to r11, r0 behind the weights, and the
/// address of the multipliers in r2.
macro_rules! sums {
    () => {
        concat!(
            "push {{r0}}\n",
            "adds r0, r0, #16\n",
            "mov lr, r2\n",
            "mov r8, #0\n",
            "mov r9, #0\n",
            "mov r10, #0\n",
            "mov r11, #0\n",
            "cmp r1, lr\n",
            "bhs 3f\n",
            "2:\n",
            "ldmia r1!, {{r2, r3, r4, r5}}\n",
            row8!("r8"),
            row8!("r9"),
            row8!("r10"),
            row8!("r11"),
            "cmp r1, lr\n",
            "blo 2b\n",
            "3:\n",
            "bne 4f\n",
            "ldmia r1, {{r2, r3}}\n",
            row4!("r8"),
            row4!("r9"),
            row4!("r10"),
            row4!("r11"),
            "4:\n",
            "pop {{r2}}\n",
        )
    };
}

/// Adds the sums, shifted left by r1, times the multipliers at r2 to the pre-activations at sp; the result in
/// r8 to r11.
macro_rules! scale {
    () => {
        concat!(
            "cbz r1, 5f\n",
            "lsl r8, r8, r1\n",
            "lsl r9, r9, r1\n",
            "lsl r10, r10, r1\n",
            "lsl r11, r11, r1\n",
            "5:\n",
            "ldmia r2, {{r2, r3, r4, r5}}\n",
            "ldm sp, {{r6, r7, r12, lr}}\n",
            "smmlar r8, r8, r2, r6\n",
            "smmlar r9, r9, r3, r7\n",
            "smmlar r10, r10, r4, r12\n",
            "smmlar r11, r11, r5, lr\n",
        )
    };
}

/// Computes four pre-activations over one side.
///
/// In: r0 the block; r1 the activations and r2 the address of their last pair of words; r3 the shift. Out: r8
/// to r11; r0 is lost, all others are preserved. Reads 4 words of biases, then for each side 4 of multipliers
/// and 8 of weights for each 4 of activations, or 4 and 2 at the end. All are aligned to 4, as LDM and LDRD
/// need.
///
/// Eight activations per round: 39 instructions for 32 multiply-adds.
#[unsafe(naked)]
unsafe extern "C" fn one_side() {
    naked_asm!(
        cpu!(),
        "push {{r1-r7, r12, lr}}",
        "ldmia r0!, {{r8-r11}}",
        "push {{r8-r11}}",
        sums!(),
        "ldr r1, [sp, #24]",
        scale!(),
        "add sp, sp, #16",
        "pop {{r1-r7, r12, pc}}",
    )
}

/// Computes four pre-activations over two sides: as [`one_side`], with the second side in r4, r5 and r12.
#[unsafe(naked)]
unsafe extern "C" fn two_sides() {
    naked_asm!(
        cpu!(),
        "push {{r1-r7, r12, lr}}",
        "ldmia r0!, {{r8-r11}}",
        "push {{r8-r11}}",
        sums!(),
        "ldr r1, [sp, #24]",
        scale!(),
        "stm sp, {{r8-r11}}",
        "ldrd r1, r2, [sp, #28]",
        sums!(),
        "ldr r1, [sp, #44]",
        scale!(),
        "add sp, sp, #16",
        "pop {{r1-r7, r12, pc}}",
    )
}
