//! tanh and the update of cells with it. tanh takes 7 instructions per unit: `VFMAS` adds a coefficient in a
//! core register. There is no division of vectors; `VDIV` divides their floats.

use super::super::{Panels, TANH, tanh};
use crate::format::LANES;
use core::arch::asm;

/// Computes a polynomial of z in q2 and q3, with the five coefficients from byte `$at` of the constants on,
/// to q4 and q5.
macro_rules! polynomial {
    ($at:literal) => {
        concat!(
            "ldrd {a}, {b}, [{constants}, #", $at, "]\n",
            two!("vdup.32" "q4" "q5", "{a}"),
            two!("vfmas.f32" "q4" "q2" "{b}", "q5" "q3" "{b}",),
            "ldrd {a}, {b}, [{constants}, #", $at, " + 8]\n",
            two!("vfmas.f32" "q4" "q2" "{a}", "q5" "q3" "{a}",),
            two!("vfmas.f32" "q4" "q2" "{b}", "q5" "q3" "{b}",),
            "ldr {a}, [{constants}, #", $at, " + 16]\n",
            two!("vfmas.f32" "q4" "q2" "{a}", "q5" "q3" "{a}",),
        )
    };
}

/// Computes tanh of the panels from `x` to `end`.
///
/// # Safety
/// There is at least one panel, and `out` has room for all.
#[inline(never)]
pub unsafe fn tanh_each(x: *const [f32; LANES], end: *const [f32; LANES], out: *mut [f32; LANES]) {
    // SAFETY: reads the constants, twelve floats, and a panel per round to the end.
    unsafe {
        asm!(
            "2:",
            "ldrd {a}, {b}, [{constants}, #40]",
            "vldrw.u32 q0, [{x}], #16",
            "vldrw.u32 q1, [{x}], #16",
            // A NaN is neither above nor below.
            "vpt.f32 gt, q0, {a}", "vdupt.32 q0, {a}",
            "vpt.f32 gt, q1, {a}", "vdupt.32 q1, {a}",
            "vpt.f32 lt, q0, {b}", "vdupt.32 q0, {b}",
            "vpt.f32 lt, q1, {b}", "vdupt.32 q1, {b}",
            two!("vmul.f32" "q2" "q0" "q0", "q3" "q1" "q1",),
            polynomial!("0"),
            two!("vmul.f32" "q0" "q0" "q4", "q1" "q1" "q5",),
            polynomial!("20"),
            "vdiv.f32 s0, s0, s16", "vdiv.f32 s1, s1, s17", "vdiv.f32 s2, s2, s18", "vdiv.f32 s3, s3, s19",
            "vdiv.f32 s4, s4, s20", "vdiv.f32 s5, s5, s21", "vdiv.f32 s6, s6, s22", "vdiv.f32 s7, s7, s23",
            "vstrw.32 q0, [{out}], #16",
            "vstrw.32 q1, [{out}], #16",
            "cmp {x}, {end}",
            "bne 2b",
            constants = in(reg) &raw const TANH,
            x = inout(reg) x => _,
            end = in(reg) end,
            out = inout(reg) out => _,
            a = out(reg) _, b = out(reg) _,
            out("d0") _, out("d1") _, out("d2") _, out("d3") _, out("d4") _, out("d5") _, out("d6") _,
            out("d7") _, out("d8") _, out("d9") _, out("d10") _, out("d11") _,
            options(nostack),
        );
    }
}

/// The bits of 1/2.
const HALF: u32 = 0.5f32.to_bits();

/// Computes `1/2 + t/2` of `t` in q0 and q1, to q4 and q5.
macro_rules! sigmoid_of_tanh {
    () => {
        concat!(two!("vdup.32" "q4" "q5", "{half}"), two!("vfma.f32" "q4" "q0" "{half}", "q5" "q1" "{half}",))
    };
}

/// Computes [`Float::lstm_cell`](crate::isa::Float::lstm_cell).
#[inline(always)]
pub fn lstm_cell(sums: &[[f32; LANES]; 4], c: &mut [f32; LANES], h: &mut [f32; LANES]) {
    let (mut gates, mut state) = (Panels::uninit(), Panels::uninit());
    let [i, f, g, o] = tanh(sums, &mut gates);
    panels!(
        panel!("vldrw.u32" "q0" "q1" "i"),
        sigmoid_of_tanh!(),
        panel!("vldrw.u32" "q2" "q3" "g"),
        two!("vmul.f32" "q2" "q4" "q2", "q3" "q5" "q3",),
        panel!("vldrw.u32" "q0" "q1" "f"),
        sigmoid_of_tanh!(),
        panel!("vldrw.u32" "q0" "q1" "c"),
        two!("vfma.f32" "q2" "q4" "q0", "q3" "q5" "q1",),
        panel!("vstrw.32" "q2" "q3" "c");
        half = HALF, i = i.as_ptr(), f = f.as_ptr(), g = g.as_ptr(), c = c.as_mut_ptr()
    );
    let [state] = tanh(core::array::from_ref(c), &mut state);
    panels!(
        panel!("vldrw.u32" "q0" "q1" "o"),
        sigmoid_of_tanh!(),
        panel!("vldrw.u32" "q2" "q3" "state"),
        two!("vmul.f32" "q2" "q4" "q2", "q3" "q5" "q3",),
        panel!("vstrw.32" "q2" "q3" "h");
        half = HALF, o = o.as_ptr(), state = state.as_ptr(), h = h.as_mut_ptr()
    );
}

/// Computes [`Float::gru_cell`](crate::isa::Float::gru_cell).
#[inline(always)]
pub fn gru_cell(sums: &[[f32; LANES]; 3], n_x: &[f32; LANES], h: &[f32; LANES], next: &mut [f32; LANES]) {
    let (mut gates, mut n) = (Panels::uninit(), Panels::uninit());
    let Some((gate_sums, [n_h])) = sums.split_first_chunk() else { return };
    let [z, r] = tanh(gate_sums, &mut gates);
    panels!(
        panel!("vldrw.u32" "q0" "q1" "r"),
        sigmoid_of_tanh!(),
        panel!("vldrw.u32" "q0" "q1" "n_h"),
        panel!("vldrw.u32" "q2" "q3" "n_x"),
        two!("vfma.f32" "q2" "q4" "q0", "q3" "q5" "q1",),
        panel!("vstrw.32" "q2" "q3" "next");
        half = HALF, r = r.as_ptr(), n_h = n_h.as_ptr(), n_x = n_x.as_ptr(), next = next.as_mut_ptr()
    );
    let [n] = tanh(core::array::from_ref(next), &mut n);
    panels!(
        panel!("vldrw.u32" "q0" "q1" "z"),
        sigmoid_of_tanh!(),
        panel!("vldrw.u32" "q0" "q1" "h"),
        panel!("vldrw.u32" "q2" "q3" "n"),
        two!("vsub.f32" "q0" "q0" "q2", "q1" "q1" "q3",),
        two!("vfma.f32" "q2" "q4" "q0", "q3" "q5" "q1",),
        panel!("vstrw.32" "q2" "q3" "next");
        half = HALF, z = z.as_ptr(), h = h.as_ptr(), n = n.as_ptr(), next = next.as_mut_ptr()
    );
}
