//! tanh and the update of cells with it. tanh is computed for four units at once, with all constants in
//! registers: 29 instructions per unit. Half of them copy coefficients and clamp the argument: VFMA adds to
//! what it overwrites, and these cores have no minimum.

use super::super::{Panels, TANH, tanh};
use crate::format::LANES;
use core::arch::asm;

/// Clamps `$x` to the limits in s26 and s27; a NaN stays.
macro_rules! clamp {
    ($($x:literal)*) => {
        concat!($(
            "vcmp.f32 ", $x, ", s26\n",
            "vmrs APSR_nzcv, fpscr\n",
            "it gt\n",
            "vmovgt.f32 ", $x, ", s26\n",
            "vcmp.f32 ", $x, ", s27\n",
            "vmrs APSR_nzcv, fpscr\n",
            "it mi\n",
            "vmovmi.f32 ", $x, ", s27\n",
        )*)
    };
}

/// Copies a register to several.
macro_rules! broadcast {
    ($from:literal: $($to:literal)*) => { concat!($("vmov.f32 ", $to, ", ", $from, "\n",)*) };
}

/// Applies an operation to each row of operands.
macro_rules! each {
    ($op:literal $($to:literal $from:literal $with:literal,)*) => {
        concat!($($op, " ", $to, ", ", $from, ", ", $with, "\n",)*)
    };
}

/// Computes a polynomial of z in s4 to s7, with the coefficients in the registers named; to s8 to s11.
macro_rules! polynomial {
    ($c4:literal $c3:literal $c2:literal $c1:literal $c0:literal) => {
        concat!(
            broadcast!($c3: "s12" "s13" "s14" "s15"),
            each!("vfma.f32" "s12" $c4 "s4", "s13" $c4 "s5", "s14" $c4 "s6", "s15" $c4 "s7",),
            broadcast!($c2: "s8" "s9" "s10" "s11"),
            each!("vfma.f32" "s8" "s12" "s4", "s9" "s13" "s5", "s10" "s14" "s6", "s11" "s15" "s7",),
            broadcast!($c1: "s12" "s13" "s14" "s15"),
            each!("vfma.f32" "s12" "s8" "s4", "s13" "s9" "s5", "s14" "s10" "s6", "s15" "s11" "s7",),
            broadcast!($c0: "s8" "s9" "s10" "s11"),
            each!("vfma.f32" "s8" "s12" "s4", "s9" "s13" "s5", "s10" "s14" "s6", "s11" "s15" "s7",),
        )
    };
}

/// Computes tanh of the panels from `x` to `end`.
///
/// # Safety
/// There is at least one panel, and `out` has room for all.
#[inline(never)]
pub unsafe fn tanh_each(x: *const [f32; LANES], end: *const [f32; LANES], out: *mut [f32; LANES]) {
    // SAFETY: reads the constants, twelve floats, and four floats per round to the end, which come in eights.
    unsafe {
        asm!(
            "vldmia {constants}, {{s16-s27}}",
            "2:",
            "vldmia {x}!, {{s0-s3}}",
            clamp!("s0" "s1" "s2" "s3"),
            each!("vmul.f32" "s4" "s0" "s0", "s5" "s1" "s1", "s6" "s2" "s2", "s7" "s3" "s3",),
            polynomial!("s16" "s17" "s18" "s19" "s20"),
            each!("vmul.f32" "s0" "s0" "s8", "s1" "s1" "s9", "s2" "s2" "s10", "s3" "s3" "s11",),
            polynomial!("s21" "s22" "s23" "s24" "s25"),
            each!("vdiv.f32" "s0" "s0" "s8", "s1" "s1" "s9", "s2" "s2" "s10", "s3" "s3" "s11",),
            "vstmia {out}!, {{s0-s3}}",
            "cmp {x}, {end}",
            "bne 2b",
            constants = in(reg) &raw const TANH,
            x = inout(reg) x => _,
            end = in(reg) end,
            out = inout(reg) out => _,
            out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _,
            out("s7") _, out("s8") _, out("s9") _, out("s10") _, out("s11") _, out("s12") _, out("s13") _,
            out("s14") _, out("s15") _, out("s16") _, out("s17") _, out("s18") _, out("s19") _,
            out("s20") _, out("s21") _, out("s22") _, out("s23") _, out("s24") _, out("s25") _,
            out("s26") _, out("s27") _,
            options(nostack),
        );
    }
}

/// Computes `1/2 + t/2` of `t` in s8 to s15, to s16 to s23; s24 holds 1/2.
macro_rules! sigmoid_of_tanh {
    () => {
        concat!(
            broadcast!("s24": "s16" "s17" "s18" "s19" "s20" "s21" "s22" "s23"),
            each!("vfma.f32" "s16" "s8" "s24", "s17" "s9" "s24", "s18" "s10" "s24", "s19" "s11" "s24",
                "s20" "s12" "s24", "s21" "s13" "s24", "s22" "s14" "s24", "s23" "s15" "s24",),
        )
    };
}

/// Multiplies s0 to s7 by s16 to s23.
macro_rules! multiply {
    () => {
        each!("vmul.f32" "s0" "s16" "s0", "s1" "s17" "s1", "s2" "s18" "s2", "s3" "s19" "s3",
            "s4" "s20" "s4", "s5" "s21" "s5", "s6" "s22" "s6", "s7" "s23" "s7",)
    };
}

/// Adds the products of s16 to s23 and s8 to s15 to s0 to s7.
macro_rules! multiply_add {
    () => {
        each!("vfma.f32" "s0" "s16" "s8", "s1" "s17" "s9", "s2" "s18" "s10", "s3" "s19" "s11",
            "s4" "s20" "s12", "s5" "s21" "s13", "s6" "s22" "s14", "s7" "s23" "s15",)
    };
}

/// Assembly over whole panels at the addresses named, with 1/2 in s24.
macro_rules! cell {
    ($($line:expr),* ; $($name:ident = $value:expr),*) => {
        // SAFETY: reads and writes whole panels.
        unsafe {
            asm!(
                "vmov.f32 s24, #0.5",
                $($line,)*
                $($name = inout(reg) $value => _,)*
                out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _,
                out("s7") _, out("s8") _, out("s9") _, out("s10") _, out("s11") _, out("s12") _,
                out("s13") _, out("s14") _, out("s15") _, out("s16") _, out("s17") _, out("s18") _,
                out("s19") _, out("s20") _, out("s21") _, out("s22") _, out("s23") _, out("s24") _,
                options(nostack, preserves_flags),
            )
        }
    };
}

/// Computes [`Float::lstm_cell`](crate::isa::Float::lstm_cell).
#[inline(always)]
pub fn lstm_cell(sums: &[[f32; LANES]; 4], c: &mut [f32; LANES], h: &mut [f32; LANES]) {
    let (mut gates, mut state) = (Panels::uninit(), Panels::uninit());
    let [i, f, g, o] = tanh(sums, &mut gates);
    cell!(
        "vldmia {i}, {{s8-s15}}",
        sigmoid_of_tanh!(),
        "vldmia {g}, {{s0-s7}}",
        multiply!(),
        "vldmia {f}, {{s8-s15}}",
        sigmoid_of_tanh!(),
        "vldmia {c}, {{s8-s15}}",
        multiply_add!(),
        "vstmia {c}, {{s0-s7}}";
        i = i.as_ptr(), f = f.as_ptr(), g = g.as_ptr(), c = c.as_mut_ptr()
    );
    let [state] = tanh(core::array::from_ref(c), &mut state);
    cell!(
        "vldmia {o}, {{s8-s15}}",
        sigmoid_of_tanh!(),
        "vldmia {state}, {{s0-s7}}",
        multiply!(),
        "vstmia {h}, {{s0-s7}}";
        o = o.as_ptr(), state = state.as_ptr(), h = h.as_mut_ptr()
    );
}

/// Computes [`Float::gru_cell`](crate::isa::Float::gru_cell).
#[inline(always)]
pub fn gru_cell(sums: &[[f32; LANES]; 3], n_x: &[f32; LANES], h: &[f32; LANES], next: &mut [f32; LANES]) {
    let (mut gates, mut n) = (Panels::uninit(), Panels::uninit());
    let Some((gate_sums, [n_h])) = sums.split_first_chunk() else { return };
    let [z, r] = tanh(gate_sums, &mut gates);
    cell!(
        "vldmia {r}, {{s8-s15}}",
        sigmoid_of_tanh!(),
        "vldmia {n_h}, {{s8-s15}}",
        "vldmia {n_x}, {{s0-s7}}",
        multiply_add!(),
        "vstmia {next}, {{s0-s7}}";
        r = r.as_ptr(), n_h = n_h.as_ptr(), n_x = n_x.as_ptr(), next = next.as_mut_ptr()
    );
    let [n] = tanh(core::array::from_ref(next), &mut n);
    cell!(
        "vldmia {z}, {{s8-s15}}",
        sigmoid_of_tanh!(),
        "vldmia {h}, {{s8-s15}}",
        "vldmia {n}, {{s0-s7}}",
        each!("vsub.f32" "s8" "s8" "s0", "s9" "s9" "s1", "s10" "s10" "s2", "s11" "s11" "s3",
            "s12" "s12" "s4", "s13" "s13" "s5", "s14" "s14" "s6", "s15" "s15" "s7",),
        multiply_add!(),
        "vstmia {next}, {{s0-s7}}";
        z = z.as_ptr(), h = h.as_ptr(), n = n.as_ptr(), next = next.as_mut_ptr()
    );
}
