//! A step of all units of a Gru with the reset gate after the product.

use super::{QUAD_BYTES, power};
use crate::isa::tanh::int::TANH_TABLE;
use crate::isa::{IntGru, Sides};
use core::arch::naked_asm;
use core::ops::Range;

/// The operands of [`gru_units`].
#[repr(C)]
struct GruUnits {
    sides: [[*const [i32; 2]; 2]; 2],
    table: *const u32,
    /// The factor that rounds the output to an activation.
    factor: i32,
    state: *mut i16,
    next: *mut i16,
    next_end: *mut i16,
    blocks: *const i32,
}

/// Scales four sums in r8 to r11 by the multipliers at r0, and writes them to the stack at `$to`.
macro_rules! scaled {
    ($to:literal) => {
        concat!(
            "ldmia r0!, {{r2-r5}}\n",
            "smmul r2, r8, r2\n",
            "smmul r3, r9, r3\n",
            "smmul r4, r10, r4\n",
            "smmul r5, r11, r5\n",
            "add r6, sp, #",
            $to,
            "\n",
            "stmia r6, {{r2-r5}}\n",
        )
    };
}

/// Computes a step of all units of a Gru with the reset gate after the product, up to `next_end`; there is
/// one at least. In: r0 the operands. 43 instructions per unit, and 55 per block beside its products.
///
/// On the stack lie, from sp on, each side with the entry of its rounds, the other operands up to the end,
/// and the pre-activations of four units: z, r, n over x, n over h.
#[unsafe(naked)]
unsafe extern "C" fn gru_units(_units: *const GruUnits) {
    naked_asm!(
        cpu!(),
        "push {{r4-r11, lr}}",
        "add r12, r0, #16",
        "ldmia r12!, {{r7-r11}}",
        "sub sp, sp, #64",
        "push {{r7-r11}}",
        "ldmia r0, {{r1-r4}}",
        "ldr r0, [r12]",
        entry!("r5", "r3", "r4", "8"),
        "push {{r3-r5}}",
        entry!("r3", "r1", "r2", "6"),
        "push {{r1-r3}}",
        "2:",
        "ldmia r0!, {{r8-r11}}",
        "bl 5f",
        "bl 7f",
        scaled!("44"),
        "ldmia r0!, {{r8-r11}}",
        "bl 5f",
        "bl 7f",
        scaled!("60"),
        "ldmia r0!, {{r8-r11}}",
        "bl 5f",
        scaled!("76"),
        "ldmia r0!, {{r8-r11}}",
        "bl 7f",
        scaled!("92"),
        "add r1, sp, #24",
        "ldmia r1, {{r8, r10-r12, lr}}",
        "add r9, sp, #44",
        "add r1, sp, #60",
        "3:",
        "ldr r3, [r9, #16]",
        "ldr r4, [r9, #32]",
        "ldr r5, [r9, #48]",
        "ldr r2, [r9], #4",
        // n = tanh(n_x + r n_h)
        tanh!("r3"),
        "add r4, r4, r5, asr #1",
        "smmlar r4, r5, r3, r4",
        tanh!("r4"),
        // h' = n + z (h - n)
        "ldrsh r5, [r11]",
        "lsls r5, r5, #15",
        "sub r5, r5, r4, asr #1",
        tanh!("r2"),
        "smmulr r6, r5, r2",
        "add r4, r4, r5",
        "add r4, r4, r6, lsl #1",
        "mov r6, #0x10000",
        "smmulr r6, r4, r6",
        "ssat r6, #16, r6",
        "strh r6, [r11], #2",
        "smmulr r6, r4, r10",
        "strh r6, [r12], #2",
        "cmp r12, lr",
        "beq 4f",
        "cmp r9, r1",
        "bne 3b",
        "add r1, sp, #32",
        "stmia r1, {{r11, r12}}",
        "b 2b",
        "4:",
        "add sp, sp, #108",
        "pop {{r4-r11, pc}}",
        // Products with x.
        "5:",
        "ldmia sp, {{r1, r12, pc}}",
        quads!("6", "r12"),
        "bx lr",
        // Products with h.
        "7:",
        "add r1, sp, #12",
        "ldmia r1, {{r1, r12, pc}}",
        quads!("8", "r12"),
        "bx lr",
        quad = const QUAD_BYTES,
    )
}

/// Computes [`Int::gru`](crate::isa::Int::gru).
#[inline(always)]
pub fn gru(step: IntGru<'_>) {
    let IntGru { blocks, x, h, state, next, frac } = step;
    let sides = Sides::new([x, h]);
    let of_n = Sides::new([x]).words(4) + Sides::new([h]).words(4);
    let block = 2 * sides.words(4) + of_n;
    let fits = blocks.len() >= block.saturating_mul(next.len().div_ceil(4)) && state.len() >= next.len();
    debug_assert!(fits, "a block for four units, and a state for each unit");
    if !fits || next.is_empty() || x.len() < 2 || h.len() < 2 {
        return;
    }
    let Range { start, end } = next.as_mut_ptr_range();
    let units = GruUnits {
        sides: sides.ends(),
        table: TANH_TABLE.as_ptr(),
        factor: power(frac.wrapping_add(1)),
        state: state.as_mut_ptr(),
        next: start,
        next_end: end,
        blocks: blocks.as_ptr(),
    };
    // SAFETY: there is a block for four units, as long as the sides need, and a state for each unit; neither
    // the units nor a side are empty.
    unsafe { gru_units(&raw const units) };
}
