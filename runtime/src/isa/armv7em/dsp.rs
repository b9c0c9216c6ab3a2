//! Four rows at once: `SMLAD` multiplies and adds two weights of a word, and shifted left by a byte the two
//! others; `SMMUL` scales a sum.

use super::cpu;
use crate::format::PRE_FRAC;
use crate::isa::tanh::int::TANH_TABLE;
use crate::isa::{IntGru, IntLstm, Sides};
use core::arch::{asm, naked_asm};
use core::ops::Range;

/// Multiplies and adds one row over four activations in r2 (0 1) and r3 (2 3); the word of its weights is
/// lost.
macro_rules! row {
    ($sum:literal, $w:literal) => {
        concat!(
            "smlad ", $sum, ", ", $w, ", r3, ", $sum, "\n", "lsls ", $w, ", ", $w, ", #8\n", "smlad ", $sum,
            ", ", $w, ", r2, ", $sum, "\n",
        )
    };
}

/// Multiplies and adds four rows over the next four activations at r1, with the weights at r0: 14
/// instructions for 16 multiply-adds, [`QUAD_BYTES`] of code.
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

/// Multiplies and adds four rows over all quads of activations from r1 to `$end`, four to a round. It is
/// entered at the second, third or fourth quad where their number is no multiple of four.
macro_rules! quads {
    ($round:literal, $end:literal) => {
        concat!(
            $round,
            ":\n",
            quad!(),
            quad!(),
            quad!(),
            quad!(),
            "cmp r1, ",
            $end,
            "\n",
            "bne ",
            $round,
            "b\n",
        )
    };
}

/// Bytes of code of [`quad`].
const QUAD_BYTES: usize = 2 + 2 + 4 * (4 + 2 + 4);

/// Computes four pre-activations of a block: four words of start values, four of weights for each quad of the
/// sides, and four multipliers.
///
/// # Safety
/// The block is as long as the sides need, which end with one that ends where it begins; no other is empty.
#[inline(always)]
pub unsafe fn four_rows(block: *const i32, sides: *const ()) -> [i32; 4] {
    let (p0, p1, p2, p3): (i32, i32, i32, i32);
    // SAFETY: as the caller states.
    unsafe {
        asm!(
            "bl {rows}",
            rows = sym rows,
            inout("r0") block => p0, inout("r12") sides => _,
            out("r1") p1, out("r2") p2, out("r3") p3, out("lr") _,
            options(readonly),
        );
    }
    [p0, p1, p2, p3]
}

/// Computes four pre-activations.
///
/// In: r0 the block, r12 the sides, up to one that ends where it begins. Out: r0 to r3; r12 and lr are lost.
/// Reads 4 words of start values, 4 of weights for each quad of activations, and 4 multipliers. All are
/// aligned to 4, as LDM needs.
#[unsafe(naked)]
unsafe extern "C" fn rows() {
    naked_asm!(
        cpu!(),
        "push {{r4-r11, lr}}",
        "ldmia r0!, {{r8-r11}}",
        "2:",
        "ldmia r12!, {{r1, lr}}",
        "subs r2, lr, r1",
        "beq 5f",
        // The number of quads modulo 4 selects the entry, in half-words behind the table.
        "ubfx r2, r2, #3, #2",
        "tbb [pc, r2]",
        "4:",
        ".byte 2",
        ".byte 2 + 3 * {quad} / 2",
        ".byte 2 + 2 * {quad} / 2",
        ".byte 2 + {quad} / 2",
        quads!("3", "lr"),
        "b 2b",
        "5:",
        "ldmia r0!, {{r2, r3, r4, r5}}",
        "smmul r0, r8, r2",
        "smmul r1, r9, r3",
        "smmul r2, r10, r4",
        "smmul r3, r11, r5",
        "pop {{r4-r11, pc}}",
        quad = const QUAD_BYTES,
    )
}

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

/// Computes tanh of `$p`, with the table at r8; r6 and r7 are lost. See
/// [`tanh`](crate::isa::tanh::int::tanh).
macro_rules! tanh {
    ($p:literal) => {
        concat!(
            "ssat r6, #20, ",
            $p,
            "\n",
            "eor r6, r6, ",
            $p,
            ", asr #31\n",
            "ubfx r7, r6, #10, #9\n",
            "bfc r6, #10, #22\n",
            "ldr r7, [r8, r7, lsl #2]\n",
            "smlabb r7, r6, r7, r7\n",
            "eor ",
            $p,
            ", r7, ",
            $p,
            ", asr #31\n",
        )
    };
}

/// Puts into `$to` the address of the entry of the rounds at label `$round` for the quads from `$from` to
/// `$end`; lr is lost.
macro_rules! entry {
    ($to:literal, $from:literal, $end:literal, $round:literal) => {
        concat!(
            "sub ",
            $to,
            ", ",
            $from,
            ", ",
            $end,
            "\n",
            "ubfx ",
            $to,
            ", ",
            $to,
            ", #3, #2\n",
            "mov lr, #{quad}\n",
            "mul ",
            $to,
            ", ",
            $to,
            ", lr\n",
            "adr.w lr, ",
            $round,
            "f\n",
            "add ",
            $to,
            ", ",
            $to,
            ", lr\n",
            "orr ",
            $to,
            ", ",
            $to,
            ", #1\n",
        )
    };
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

/// Returns `2^by`: a product with it, rounded, is [`shr_round`](crate::isa::shr_round) by `32 - by`.
#[inline(always)]
fn power(by: u32) -> i32 {
    1i32.wrapping_shl(by)
}
