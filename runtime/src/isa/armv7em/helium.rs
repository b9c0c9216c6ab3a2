//! Helium, the vectors of ARMv8.1-M. `VLD4` brings four quads of four rows into a register per row, and
//! `VMLADAV` multiplies eight half-words and adds them to a sum in a core register: 19 instructions with the
//! loop for 64 multiply-adds. Activations and cell states of an Lstm are computed for four units at once.

use crate::format::PRE_FRAC;
use crate::isa::tanh::int::TANH_TABLE;
use crate::isa::{IntLstm, Sides};
use core::arch::{asm, naked_asm};

/// Multiplies and adds the row in `$w` over the activations in q4 (0 1) and q5 (2 3).
macro_rules! vector_row {
    ($sum:literal, $w:literal) => {
        concat!(
            "vmladava.s16 ",
            $sum,
            ", ",
            $w,
            ", q5\n",
            "vshl.i32 ",
            $w,
            ", ",
            $w,
            ", #8\n",
            "vmladava.s16 ",
            $sum,
            ", ",
            $w,
            ", q4\n",
        )
    };
}

/// Multiplies and adds four rows over the next four quads of activations at r1, with the weights at r0, to
/// the sums in r4, r6, r8 and r10; `$next` is `!` if r0 moves on.
macro_rules! group {
    ($next:literal) => {
        concat!(
            "vld40.32 {{q0, q1, q2, q3}}, [r0]\n",
            "vld41.32 {{q0, q1, q2, q3}}, [r0]\n",
            "vld42.32 {{q0, q1, q2, q3}}, [r0]\n",
            "vld43.32 {{q0, q1, q2, q3}}, [r0]",
            $next,
            "\n",
            "vld20.32 {{q4, q5}}, [r1]\n",
            "vld21.32 {{q4, q5}}, [r1]!\n",
            vector_row!("r4", "q0"),
            vector_row!("r6", "q1"),
            vector_row!("r8", "q2"),
            vector_row!("r10", "q3"),
        )
    };
}

/// Multiplies and adds four rows over the next four activations at r1, with the weights at r0.
macro_rules! quad {
    () => {
        concat!(
            "ldmia r1!, {{r2, r3}}\n",
            "ldmia r0!, {{r5, r7, r9, r11}}\n",
            row!("r4", "r5"),
            row!("r6", "r7"),
            row!("r8", "r9"),
            row!("r10", "r11"),
        )
    };
}

/// Repeats `$body` `$count` times, also not at all; lr is lost.
macro_rules! times {
    ($count:literal, $top:literal, $end:literal, $body:expr) => {
        concat!(
            "wls lr, ", $count, ", ", $end, "f\n", $top, ":\n", $body, "le lr, ", $top, "b\n", $end, ":\n",
        )
    };
}

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
            out("d0") _, out("d1") _, out("d2") _, out("d3") _,
            out("d4") _, out("d5") _, out("d6") _, out("d7") _,
            options(readonly),
        );
    }
    [p0, p1, p2, p3]
}

/// Computes four pre-activations, as `rows` of `dsp` does.
///
/// In: r0 the block, r12 the sides, up to one that ends where it begins. Out: r0 to r3; r12, lr and q0 to q3
/// are lost.
#[unsafe(naked)]
unsafe extern "C" fn rows() {
    naked_asm!(
        cpu!(),
        "push {{r4-r11, lr}}",
        "vpush {{d8-d11}}",
        "ldmia r0!, {{r4, r6, r8, r10}}",
        "2:",
        "ldmia r12!, {{r1, r3}}",
        "subs r3, r3, r1",
        "beq 7f",
        "lsrs r2, r3, #5",
        times!("r2", "3", "4", group!("!")),
        "ubfx r3, r3, #3, #2",
        times!("r3", "5", "6", quad!()),
        "b 2b",
        "7:",
        "ldmia r0!, {{r5, r7, r9, r11}}",
        "smmul r0, r4, r5",
        "smmul r1, r6, r7",
        "smmul r2, r8, r9",
        "smmul r3, r10, r11",
        "vpop {{d8-d11}}",
        "pop {{r4-r11, pc}}",
    )
}

/// Quads of a group.
const GROUP: usize = 4;

/// The operands of [`lstm_units`], which copies them to its stack.
#[repr(C)]
struct LstmUnits {
    table: *const u32,
    /// The shift that rounds the gained state to the unit of c.
    cell_round: i32,
    /// The shift of c to a pre-activation.
    cell_shift: i32,
    /// The shift that rounds the output to an activation.
    round: i32,
    /// In the register of a low number, which half-words are stored by.
    h: *mut i16,
    c: *mut i32,
    units: usize,
    blocks: *const i32,
    x: *const [i32; 2],
    x_groups: usize,
    h_before: *const [i32; 2],
    h_groups: usize,
    /// The quads behind the groups.
    h_rest: usize,
    /// The quads of x behind the groups, if there is only one.
    x_rest: usize,
    /// The bytes of the weights of several.
    tail_bytes: usize,
    /// Their activations, filled up with zeros to a group.
    tail: [[i32; 2]; GROUP],
}

/// Computes tanh of the vector `$v`, with the table at r3; `$s`, `$i` and `$e` are lost. See
/// [`tanh`](crate::isa::tanh::int::tanh); the saturated shift clamps.
macro_rules! tanh {
    ($v:literal, $s:literal, $i:literal, $e:literal) => {
        concat!(
            "vshr.s32 ",
            $s,
            ", ",
            $v,
            ", #31\n",
            "vqshl.s32 ",
            $v,
            ", ",
            $v,
            ", #12\n",
            "veor ",
            $v,
            ", ",
            $v,
            ", ",
            $s,
            "\n",
            "vshr.u32 ",
            $i,
            ", ",
            $v,
            ", #22\n",
            "vldrw.u32 ",
            $e,
            ", [r3, ",
            $i,
            ", uxtw #2]\n",
            "vshl.i32 ",
            $v,
            ", ",
            $v,
            ", #10\n",
            "vshr.u32 ",
            $v,
            ", ",
            $v,
            ", #22\n",
            "vmullb.s16 ",
            $i,
            ", ",
            $e,
            ", ",
            $v,
            "\n",
            "vadd.i32 ",
            $e,
            ", ",
            $e,
            ", ",
            $i,
            "\n",
            "veor ",
            $v,
            ", ",
            $e,
            ", ",
            $s,
            "\n",
        )
    };
}

/// Adds to `$half` half of `$a` and the product of `$a` and `$t`: `a (1/2 + t/2)`; `$product` is lost.
macro_rules! gated {
    ($half:literal, $a:literal, $t:literal, $product:literal) => {
        concat!(
            "vshr.s32 ",
            $half,
            ", ",
            $a,
            ", #1\n",
            "vrmulh.s32 ",
            $product,
            ", ",
            $a,
            ", ",
            $t,
            "\n",
            "vadd.i32 ",
            $half,
            ", ",
            $half,
            ", ",
            $product,
            "\n",
        )
    };
}

/// Computes a step of all units of an Lstm. In: r0 the operands.
///
/// On the stack lie, from sp on, 64 bytes for the pre-activations of four units, and the operands; the end of
/// the pre-activations replaces the blocks.
#[unsafe(naked)]
unsafe extern "C" fn lstm_units(_units: *const LstmUnits) {
    naked_asm!(
        cpu!(),
        "push {{r4-r11, lr}}",
        "vpush {{d8-d13}}",
        "add r12, r0, #48",
        "ldmia r12, {{r1-r11}}",
        "push {{r1-r11}}",
        "mov r12, r0",
        "ldmia r12, {{r0-r11}}",
        "push {{r0-r11}}",
        "sub sp, sp, #64",
        "mov r0, r7",
        // As many units as are left, up to four.
        "2:",
        "ldr r3, [sp, #88]",
        "cmp r3, #4",
        "it hi",
        "movhi r3, #4",
        "mov r12, sp",
        "add r3, r12, r3, lsl #4",
        "str r3, [sp, #92]",
        "3:",
        "ldmia r0!, {{r4, r6, r8, r10}}",
        "ldrd r1, r2, [sp, #96]",
        times!("r2", "4", "5", group!("!")),
        "ldrd r2, r3, [sp, #116]",
        "cbz r3, 6f",
        "add r1, sp, #124",
        group!(""),
        "add r0, r0, r3",
        "6:",
        times!("r2", "7", "8", quad!()),
        "ldrd r1, r2, [sp, #104]",
        times!("r2", "9", "10", group!("!")),
        "ldr r2, [sp, #112]",
        times!("r2", "11", "12", quad!()),
        "ldmia r0!, {{r5, r7, r9, r11}}",
        "smmul r4, r4, r5",
        "smmul r6, r6, r7",
        "smmul r8, r8, r9",
        "smmul r10, r10, r11",
        "stmia r12!, {{r4, r6, r8, r10}}",
        "ldr r2, [sp, #92]",
        "cmp r12, r2",
        "bne 3b",
        "mov r1, sp",
        "vld40.32 {{q0, q1, q2, q3}}, [r1]",
        "vld41.32 {{q0, q1, q2, q3}}, [r1]",
        "vld42.32 {{q0, q1, q2, q3}}, [r1]",
        "vld43.32 {{q0, q1, q2, q3}}, [r1]!",
        "ldmia r1, {{r3-r9}}",
        tanh!("q0", "q4", "q5", "q6"),
        tanh!("q1", "q4", "q5", "q6"),
        tanh!("q2", "q4", "q5", "q6"),
        tanh!("q3", "q4", "q5", "q6"),
        // c' = f c + i g
        "vctp.32 r9",
        "vpst",
        "vldrwt.u32 q4, [r8]",
        gated!("q5", "q4", "q1", "q6"),
        gated!("q4", "q2", "q0", "q6"),
        "vrshl.s32 q4, r4",
        "vadd.i32 q4, q4, q5",
        "vqshl.s32 q4, q4, #1",
        "vshr.s32 q4, q4, #1",
        "vpst",
        "vstrwt.32 q4, [r8], #16",
        // h' = o tanh(c')
        "vshl.s32 q4, r5",
        tanh!("q4", "q0", "q1", "q2"),
        gated!("q5", "q4", "q3", "q6"),
        "vrshl.s32 q5, r6",
        "vpst",
        "vstrht.32 q5, [r7], #8",
        "strd r7, r8, [r1, #16]",
        "subs r9, r9, #4",
        "str r9, [r1, #24]",
        "bhi 2b",
        "add sp, sp, #156",
        "vpop {{d8-d13}}",
        "pop {{r4-r11, pc}}",
    )
}

/// Computes [`Int::lstm`](crate::isa::Int::lstm).
#[inline(always)]
pub fn lstm(step: IntLstm<'_>) {
    let IntLstm { blocks, x, h, c, next, cell_frac, frac } = step;
    let units = next.len();
    let fits = blocks.len() >= Sides::new([x, h]).words(4).saturating_mul(units) && c.len() >= units;
    debug_assert!(fits, "a block and a cell state for each unit");
    if !fits || units == 0 || h.len() < 2 {
        return;
    }
    let (x, h) = (x.as_chunks().0, h.as_chunks().0);
    let (x_groups, x_rest) = x.as_chunks::<GROUP>();
    let (h_groups, h_rest) = h.as_chunks::<GROUP>();
    let mut tail = [[0; 2]; GROUP];
    for (to, from) in tail.iter_mut().zip(x_rest) {
        *to = *from;
    }
    // A group of two quads or more reads the weights of up to two that are not there: behind those of x lie
    // those of one quad of h at least, and the multipliers.
    let has_tail = x_rest.len() > 1;
    let units = LstmUnits {
        table: TANH_TABLE.as_ptr(),
        cell_round: (cell_frac as i32).wrapping_sub(31),
        cell_shift: (PRE_FRAC as i32).wrapping_sub(cell_frac as i32),
        round: (frac as i32).wrapping_sub(31),
        h: next.as_mut_ptr(),
        c: c.as_mut_ptr(),
        units,
        blocks: blocks.as_ptr(),
        x: x.as_ptr(),
        x_groups: x_groups.len(),
        h_before: h.as_ptr(),
        h_groups: h_groups.len(),
        h_rest: h_rest.len(),
        x_rest: if has_tail { 0 } else { x_rest.len() },
        tail_bytes: if has_tail { size_of_val(x_rest) * 2 } else { 0 },
        tail,
    };
    // SAFETY: there is a block for each unit, as long as the sides need, and as many values of c as of h;
    // there is a unit, and h has a quad. The stores end with the last unit.
    unsafe { lstm_units(&raw const units) };
}
