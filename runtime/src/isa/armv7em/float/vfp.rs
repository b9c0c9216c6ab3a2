//! Single floats. Two gates of a panel at once: sixteen sums in s0 to s15, a row of weights in s16 to s23,
//! inputs in s24 to s27; 79 instructions for the 64 multiply-adds of four rows.

use super::Rows;
use crate::format::LANES;
use core::arch::asm;
use core::mem::MaybeUninit;

mod cells;

pub use cells::{gru_cell, lstm_cell, tanh_each};

/// Loads eight weights at `{w}`, which moves on, into s16 to s23.
macro_rules! floats {
    () => {
        "vldmia {w}!, {{s16-s23}}\n"
    };
}

/// Loads eight binary16 weights: four words, each split into the registers above it.
macro_rules! halves {
    () => {
        concat!(
            "vldmia {w}!, {{s16-s19}}\n",
            "vcvtt.f32.f16 s23, s19\n",
            "vcvtb.f32.f16 s22, s19\n",
            "vcvtt.f32.f16 s21, s18\n",
            "vcvtb.f32.f16 s20, s18\n",
            "vcvtt.f32.f16 s19, s17\n",
            "vcvtb.f32.f16 s18, s17\n",
            "vcvtt.f32.f16 s17, s16\n",
            "vcvtb.f32.f16 s16, s16\n",
        )
    };
}

/// Eight multiply-adds: the weights that `$load` brings times `$x` onto the sums `$to`.
macro_rules! eight {
    ($load:ident $x:literal: $($to:literal $weight:literal,)*) => {
        concat!($load!(), $("vfma.f32 ", $to, ", ", $weight, ", ", $x, "\n",)*)
    };
}
macro_rules! low {
    ($load:ident $x:literal) => {
        eight!($load $x: "s0" "s16", "s1" "s17", "s2" "s18", "s3" "s19", "s4" "s20", "s5" "s21", "s6" "s22",
            "s7" "s23",)
    };
}
macro_rules! high {
    ($load:ident $x:literal) => {
        eight!($load $x: "s8" "s16", "s9" "s17", "s10" "s18", "s11" "s19", "s12" "s20", "s13" "s21",
            "s14" "s22",
            "s15" "s23",)
    };
}

/// A row of one gate or two.
macro_rules! row {
    (1 $load:ident $x:literal) => {
        concat!(low!($load $x), "add {w}, {w}, {skip}\n")
    };
    (2 $load:ident $x:literal) => {
        concat!(low!($load $x), high!($load $x), "add {w}, {w}, {skip}\n")
    };
}

/// Adds rows onto `$sums`, which lie in the registers `$saved`: four rows per round, and then each that is
/// left. The sums are read and written in place.
macro_rules! gates {
    ($gates:tt $load:ident, $saved:literal, $sums:expr, $rows:expr) => {
        asm!(
            concat!("vldmia {sums}, {{", $saved, "}}"),
            "lsrs {rounds}, {rest}, #2",
            "beq 3f",
            "2:",
            "vldmia {x}!, {{s24-s27}}",
            row!($gates $load "s24"),
            row!($gates $load "s25"),
            row!($gates $load "s26"),
            row!($gates $load "s27"),
            "subs {rounds}, {rounds}, #1",
            "bne 2b",
            "3:",
            "ands {rest}, {rest}, #3",
            "beq 5f",
            "4:",
            "vldmia {x}!, {{s24}}",
            row!($gates $load "s24"),
            "subs {rest}, {rest}, #1",
            "bne 4b",
            "5:",
            concat!("vstmia {sums}, {{", $saved, "}}"),
            sums = in(reg) $sums,
            w = inout(reg) $rows.w => _,
            x = inout(reg) $rows.x => _,
            rest = inout(reg) $rows.count => _,
            rounds = out(reg) _,
            skip = in(reg) $rows.skip,
            out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _,
            out("s7") _, out("s8") _, out("s9") _, out("s10") _, out("s11") _, out("s12") _, out("s13") _,
            out("s14") _, out("s15") _, out("s16") _, out("s17") _, out("s18") _, out("s19") _,
            out("s20") _, out("s21") _, out("s22") _, out("s23") _, out("s24") _, out("s25") _,
            out("s26") _, out("s27") _,
            options(nostack),
        )
    };
}

/// Adds the products of rows onto the sums of two gates: a function of its own, which takes 1.3 KB in each
/// place where it is used.
///
/// # Safety
/// `rows` is made for two gates.
#[inline(never)]
pub unsafe fn two_gates<W, const G: usize>(sums: &mut [[f32; LANES]; 2], rows: Rows<W>) {
    // SAFETY: two gates of each row are read, as many rows as inputs; `w` moves on by a whole row.
    unsafe {
        if size_of::<W>() == size_of::<f32>() {
            gates!(2 floats, "s0-s15", sums.as_mut_ptr(), rows);
        } else {
            gates!(2 halves, "s0-s15", sums.as_mut_ptr(), rows);
        }
    }
}

/// Adds the products of rows onto the sums of a gate.
///
/// # Safety
/// `rows` is made for one gate.
#[inline(never)]
pub unsafe fn one_gate<W, const G: usize>(sums: &mut [f32; LANES], rows: Rows<W>) {
    // SAFETY: a gate of each row is read, as many rows as inputs; `w` moves on by a whole row.
    unsafe {
        if size_of::<W>() == size_of::<f32>() {
            gates!(1 floats, "s0-s7", sums.as_mut_ptr(), rows);
        } else {
            gates!(1 halves, "s0-s7", sums.as_mut_ptr(), rows);
        }
    }
}

/// Converts eight binary16 values; exact.
#[inline(always)]
pub fn panel_binary16(values: &[u16; LANES]) -> [f32; LANES] {
    let mut panel = MaybeUninit::<[f32; LANES]>::uninit();
    // SAFETY: reads eight binary16 values from `values`, four words that need no alignment beyond that of
    // the file, and writes all of `panel`. VFPv4 has the conversions.
    unsafe {
        asm!(
            halves!(),
            "vstmia {panel}, {{s16-s23}}",
            w = inout(reg) values.as_ptr() => _,
            panel = in(reg) panel.as_mut_ptr(),
            out("s16") _, out("s17") _, out("s18") _, out("s19") _, out("s20") _, out("s21") _,
            out("s22") _, out("s23") _,
            options(nostack, preserves_flags),
        );
        panel.assume_init()
    }
}

/// Computes `a * b`.
#[inline(always)]
pub fn mul(mut a: [f32; LANES], b: &[f32; LANES]) -> [f32; LANES] {
    // SAFETY: reads eight floats from `b`, reads and writes those of `a`.
    unsafe {
        asm!(
            "vldmia {a}, {{s0-s7}}",
            "vldmia {b}, {{s8-s15}}",
            "vmul.f32 s0, s0, s8", "vmul.f32 s1, s1, s9", "vmul.f32 s2, s2, s10", "vmul.f32 s3, s3, s11",
            "vmul.f32 s4, s4, s12", "vmul.f32 s5, s5, s13", "vmul.f32 s6, s6, s14", "vmul.f32 s7, s7, s15",
            "vstmia {a}, {{s0-s7}}",
            a = in(reg) a.as_mut_ptr(), b = in(reg) b.as_ptr(),
            out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _,
            out("s7") _, out("s8") _, out("s9") _, out("s10") _, out("s11") _, out("s12") _, out("s13") _,
            out("s14") _, out("s15") _,
            options(nostack, preserves_flags),
        );
    }
    a
}

/// Computes `a * b + c`, rounded once.
#[inline(always)]
pub fn mul_add(a: &[f32; LANES], b: &[f32; LANES], mut c: [f32; LANES]) -> [f32; LANES] {
    // SAFETY: reads eight floats each from `a` and `b`, reads and writes those of `c`; the target has VFMA.
    unsafe {
        asm!(
            "vldmia {c}, {{s0-s7}}",
            "vldmia {a}, {{s8-s15}}",
            "vldmia {b}, {{s16-s23}}",
            "vfma.f32 s0, s8, s16", "vfma.f32 s1, s9, s17", "vfma.f32 s2, s10, s18", "vfma.f32 s3, s11, s19",
            "vfma.f32 s4, s12, s20", "vfma.f32 s5, s13, s21",
            "vfma.f32 s6, s14, s22", "vfma.f32 s7, s15, s23",
            "vstmia {c}, {{s0-s7}}",
            a = in(reg) a.as_ptr(), b = in(reg) b.as_ptr(), c = in(reg) c.as_mut_ptr(),
            out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _,
            out("s7") _, out("s8") _, out("s9") _, out("s10") _, out("s11") _, out("s12") _, out("s13") _,
            out("s14") _, out("s15") _, out("s16") _, out("s17") _, out("s18") _, out("s19") _,
            out("s20") _, out("s21") _, out("s22") _, out("s23") _,
            options(nostack, preserves_flags),
        );
    }
    c
}
