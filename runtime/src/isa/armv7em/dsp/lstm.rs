//! A step of all units of an Lstm.

use super::{QUAD_BYTES, power};
use crate::format::PRE_FRAC;
use crate::isa::tanh::int::TANH_TABLE;
use crate::isa::{IntLstm, Sides};
use core::arch::naked_asm;
use core::ops::Range;

/// The operands of [`lstm_units`].
#[repr(C)]
struct LstmUnits {
    sides: [[*const [i32; 2]; 2]; 2],
    h_end: *mut i16,
    table: *const u32,
    /// The factor that rounds the gained state to the unit of c.
    cell_factor: i32,
    /// The shift of c to a pre-activation.
    cell_shift: u32,
    /// The factor that rounds the output to an activation.
    factor: i32,
    c: *mut i32,
    h: *mut i16,
    blocks: *const i32,
}

/// Computes a step of all units of an Lstm, from h to `h_end`, which is not empty. In: r0 the operands.
/// 62 instructions per unit beside its products and their rounds.
///
/// On the stack lie, from sp on, what one load each brings: a side and the entry of its rounds, the same of
/// the other side, and the end of h, the table, factors and shift, c, h.
#[unsafe(naked)]
unsafe extern "C" fn lstm_units(_units: *const LstmUnits) {
    naked_asm!(
        cpu!(),
        "push {{r4-r11, lr}}",
        "add r12, r0, #16",
        "ldmia r12!, {{r5-r11}}",
        "push {{r5-r11}}",
        "ldmia r0, {{r1-r4}}",
        "ldr r0, [r12]",
        entry!("r5", "r3", "r4", "4"),
        "push {{r3-r5}}",
        entry!("r3", "r1", "r2", "3"),
        "push {{r1-r3}}",
        "2:",
        "ldmia r0!, {{r8-r11}}",
        "mov lr, sp",
        "ldmia lr!, {{r1, r12, pc}}",
        quads!("3", "r12"),
        "ldmia lr!, {{r1, r12, pc}}",
        quads!("4", "r12"),
        "ldmia r0!, {{r2-r5}}",
        "smmul r2, r8, r2",
        "smmul r3, r9, r3",
        "smmul r4, r10, r4",
        "smmul r5, r11, r5",
        "ldmia lr, {{r1, r8-r12, lr}}",
        tanh!("r2"),
        tanh!("r3"),
        tanh!("r4"),
        tanh!("r5"),
        // c' = f c + i g
        "ldr r6, [r12]",
        "asrs r7, r6, #1",
        "smmlar r7, r6, r3, r7",
        "asrs r6, r4, #1",
        "smmlar r6, r4, r2, r6",
        "smmlar r7, r6, r9, r7",
        "ssat r7, #31, r7",
        "str r7, [r12], #4",
        // h' = o tanh(c')
        "asr r3, r7, r10",
        tanh!("r3"),
        "asrs r6, r3, #1",
        "smmlar r6, r3, r5, r6",
        "smmulr r6, r6, r11",
        "strh r6, [lr], #2",
        "strd r12, lr, [sp, #44]",
        "cmp lr, r1",
        "bne 2b",
        "add sp, sp, #52",
        "pop {{r4-r11, pc}}",
        quad = const QUAD_BYTES,
    )
}

/// Computes [`Int::lstm`](crate::isa::Int::lstm).
#[inline(always)]
pub fn lstm(step: IntLstm<'_>) {
    let IntLstm { blocks, x, h, c, next, cell_frac, frac } = step;
    let sides = Sides::new([x, h]);
    let units = next.len();
    let fits = blocks.len() >= sides.words(4).saturating_mul(units) && c.len() >= units;
    debug_assert!(fits, "a block and a cell state for each unit");
    if !fits || units == 0 || x.len() < 2 || h.len() < 2 {
        return;
    }
    let Range { start, end } = next.as_mut_ptr_range();
    let units = LstmUnits {
        sides: sides.ends(),
        h_end: end,
        table: TANH_TABLE.as_ptr(),
        cell_factor: power(cell_frac.wrapping_add(1)),
        cell_shift: cell_frac.wrapping_sub(PRE_FRAC) & 31,
        factor: power(frac.wrapping_add(1)),
        c: c.as_mut_ptr(),
        h: start,
        blocks: blocks.as_ptr(),
    };
    // SAFETY: there is a block for each unit, as long as the sides need, and as many values of c as of h;
    // neither the units nor a side are empty.
    unsafe { lstm_units(&raw const units) };
}
