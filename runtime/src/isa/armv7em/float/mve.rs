//! Helium's vectors of four floats. Two gates of a panel at once: sixteen sums in q0 to q3, a row of weights
//! in q4 to q7; 36 instructions for the 64 multiply-adds of four rows, one load of weights for each
//! multiplication.
//!
//! Vector instructions of Helium flush subnormal numbers to zero and return the default NaN. All other bits
//! are those of the fused reference.

use super::Rows;
use crate::format::LANES;
use core::arch::asm;
use core::mem::MaybeUninit;

/// Loads the four weights at byte `$at` of a row, the `$row`th from r0 on, into `$to`.
macro_rules! floats {
    ($to:literal, $row:literal, $at:literal) => {
        concat!("vldrw.u32 ", $to, ", [r0, #{row} * ", $row, " + 4 * ", $at, "]\n")
    };
}

/// Loads four binary16 weights likewise; the load takes a register of a low number.
macro_rules! halves {
    ($to:literal, $row:literal, $at:literal) => {
        concat!(
            "vldrh.u32 ",
            $to,
            ", [r0, #{row} * ",
            $row,
            " + 2 * ",
            $at,
            "]\n",
            "vcvtb.f32.f16 ",
            $to,
            ", ",
            $to,
            "\n",
        )
    };
}

/// The products of a row of one gate or two with `$x`.
macro_rules! row {
    (1 $load:ident $row:literal $x:literal) => {
        concat!(
            $load!("q4", $row, "0"),
            $load!("q5", $row, "4"),
            "vfma.f32 q0, q4, ",
            $x,
            "\n",
            "vfma.f32 q1, q5, ",
            $x,
            "\n",
        )
    };
    (2 $load:ident $row:literal $x:literal) => {
        concat!(
            $load!("q4", $row, "0"),
            $load!("q5", $row, "4"),
            "vfma.f32 q0, q4, ",
            $x,
            "\n",
            $load!("q6", $row, "8"),
            "vfma.f32 q1, q5, ",
            $x,
            "\n",
            $load!("q7", $row, "12"),
            "vfma.f32 q2, q6, ",
            $x,
            "\n",
            "vfma.f32 q3, q7, ",
            $x,
            "\n",
        )
    };
}

/// Loads or stores the sums of one gate or two.
macro_rules! sums {
    (1 $op:literal) => {
        concat!($op, " q0, [{sums}]\n", $op, " q1, [{sums}, #16]\n")
    };
    (2 $op:literal) => {
        concat!(sums!(1 $op), $op, " q2, [{sums}, #32]\n", $op, " q3, [{sums}, #48]\n")
    };
}

/// Adds rows of `$size` bytes onto `$sums`: four rows per round, and then each that is left.
macro_rules! gates {
    ($gates:tt $load:ident, $size:expr, $sums:expr, $rows:expr) => {
        asm!(
            sums!($gates "vldrw.u32"),
            "lsrs {a}, {rest}, #2",
            "wls lr, {a}, 3f",
            "2:",
            "ldrd {a}, {b}, [{x}], #8",
            row!($gates $load "0" "{a}"),
            row!($gates $load "1" "{b}"),
            "ldrd {a}, {b}, [{x}], #8",
            row!($gates $load "2" "{a}"),
            row!($gates $load "3" "{b}"),
            "add.w r0, r0, #4 * {row}",
            "le lr, 2b",
            "3:",
            "ands {rest}, {rest}, #3",
            "wls lr, {rest}, 5f",
            "4:",
            "ldr {a}, [{x}], #4",
            row!($gates $load "0" "{a}"),
            "add.w r0, r0, #{row}",
            "le lr, 4b",
            "5:",
            sums!($gates "vstrw.32"),
            row = const $size,
            sums = in(reg) $sums,
            inout("r0") $rows.w => _,
            x = inout(reg) $rows.x => _,
            rest = inout(reg) $rows.count => _,
            a = out(reg) _, b = out(reg) _, out("lr") _,
            out("d0") _, out("d1") _, out("d2") _, out("d3") _, out("d4") _, out("d5") _, out("d6") _,
            out("d7") _, out("d8") _, out("d9") _, out("d10") _, out("d11") _, out("d12") _, out("d13") _,
            out("d14") _, out("d15") _,
            options(nostack),
        )
    };
}

/// Adds the products of rows onto the sums of two gates: a function of its own, linked once.
///
/// # Safety
/// `rows` is made for two gates of `G`.
#[inline(never)]
pub unsafe fn two_gates<W, const G: usize>(sums: &mut [[f32; LANES]; 2], rows: Rows<W>) {
    // SAFETY: two gates of each row are read, as many rows as inputs; `w` moves on by whole rows.
    unsafe {
        if size_of::<W>() == size_of::<f32>() {
            gates!(2 floats, size_of::<[[f32; LANES]; G]>(), sums.as_mut_ptr(), rows);
        } else {
            gates!(2 halves, size_of::<[[u16; LANES]; G]>(), sums.as_mut_ptr(), rows);
        }
    }
}

/// Adds the products of rows onto the sums of a gate.
///
/// # Safety
/// `rows` is made for one gate of `G`.
#[inline(never)]
pub unsafe fn one_gate<W, const G: usize>(sums: &mut [f32; LANES], rows: Rows<W>) {
    // SAFETY: a gate of each row is read, as many rows as inputs; `w` moves on by whole rows.
    unsafe {
        if size_of::<W>() == size_of::<f32>() {
            gates!(1 floats, size_of::<[[f32; LANES]; G]>(), sums.as_mut_ptr(), rows);
        } else {
            gates!(1 halves, size_of::<[[u16; LANES]; G]>(), sums.as_mut_ptr(), rows);
        }
    }
}

/// Assembly over whole panels at the addresses named.
macro_rules! panels {
    ($($line:expr),* ; $($name:ident = $value:expr),*) => {
        // SAFETY: reads and writes whole panels.
        unsafe {
            asm!(
                $($line,)*
                $($name = in(reg) $value,)*
                out("d0") _, out("d1") _, out("d2") _, out("d3") _, out("d4") _, out("d5") _, out("d6") _,
                out("d7") _, out("d8") _, out("d9") _, out("d10") _, out("d11") _,
                options(nostack, preserves_flags),
            )
        }
    };
}

/// Loads or stores both vectors of a panel.
macro_rules! panel {
    ($op:literal $low:literal $high:literal $at:literal) => {
        concat!($op, " ", $low, ", [{", $at, "}]\n", $op, " ", $high, ", [{", $at, "}, #16]\n")
    };
}

/// Applies an operation to two vectors of each operand.
macro_rules! two {
    ($op:literal $a:literal $b:literal, $($with:literal),*) => {
        concat!($op, " ", $a, $(", ", $with,)* "\n", $op, " ", $b, $(", ", $with,)* "\n")
    };
    ($op:literal $($to:literal $($from:literal)*,)*) => {
        concat!($($op, " ", $to, $(", ", $from,)* "\n",)*)
    };
}

/// Converts eight binary16 values; exact.
#[inline(always)]
pub fn panel_binary16(values: &[u16; LANES]) -> [f32; LANES] {
    let mut panel = MaybeUninit::<[f32; LANES]>::uninit();
    // SAFETY: reads eight binary16 values and writes all of `panel`.
    unsafe {
        asm!(
            "vldrh.u32 q0, [r0]",
            "vldrh.u32 q1, [r0, #8]",
            two!("vcvtb.f32.f16" "q0" "q0", "q1" "q1",),
            panel!("vstrw.32" "q0" "q1" "panel"),
            in("r0") values.as_ptr(), panel = in(reg) panel.as_mut_ptr(),
            out("d0") _, out("d1") _, out("d2") _, out("d3") _,
            options(nostack, preserves_flags),
        );
        panel.assume_init()
    }
}

/// Computes `a * b`.
#[inline(always)]
pub fn mul(mut a: [f32; LANES], b: &[f32; LANES]) -> [f32; LANES] {
    panels!(
        panel!("vldrw.u32" "q0" "q1" "a"),
        panel!("vldrw.u32" "q2" "q3" "b"),
        two!("vmul.f32" "q0" "q0" "q2", "q1" "q1" "q3",),
        panel!("vstrw.32" "q0" "q1" "a");
        a = a.as_mut_ptr(), b = b.as_ptr()
    );
    a
}

/// Computes `a * b + c`, rounded once.
#[inline(always)]
pub fn mul_add(a: &[f32; LANES], b: &[f32; LANES], mut c: [f32; LANES]) -> [f32; LANES] {
    panels!(
        panel!("vldrw.u32" "q0" "q1" "a"),
        panel!("vldrw.u32" "q2" "q3" "b"),
        panel!("vldrw.u32" "q4" "q5" "c"),
        two!("vfma.f32" "q4" "q0" "q2", "q5" "q1" "q3",),
        panel!("vstrw.32" "q4" "q5" "c");
        a = a.as_ptr(), b = b.as_ptr(), c = c.as_mut_ptr()
    );
    c
}

mod cells;

pub use cells::{gru_cell, lstm_cell, tanh_each};
