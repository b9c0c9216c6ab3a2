//! Two gates of a panel at once: sixteen sums in s0 to s15, a row of weights in s16 to s23.

use super::Armv7em;
use crate::format::LANES;
use crate::isa::{Arithmetic, Float, FloatWeight, tanh::float::tanh};
use core::arch::asm;
use core::mem::MaybeUninit;

/// Copies one float, in s24, to eight registers.
macro_rules! broadcast {
    ($($to:literal)*) => { concat!($("vmov.f32 ", $to, ", s24\n",)*) };
}

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

impl Arithmetic for Armv7em {
    type V = [f32; LANES];
    const FUSED: bool = true;

    #[inline(always)]
    fn splat(self, value: f32) -> [f32; LANES] {
        [value; LANES]
    }
    #[inline(always)]
    fn mul(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        each(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        each(a, b, |a, b| a / b)
    }
    #[inline(always)]
    fn min(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        each(a, b, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn max(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        each(a, b, |a, b| if a > b { a } else { b })
    }

    // Through memory: stable Rust has no register class for floats on this target.
    #[inline(always)]
    fn mul_add(self, a: [f32; LANES], b: [f32; LANES], mut c: [f32; LANES]) -> [f32; LANES] {
        // SAFETY: reads eight floats each from `a` and `b`, reads and writes those of `c`; the target has
        // VFMA.
        unsafe {
            asm!(
                "vldmia {c}, {{s0-s7}}",
                "vldmia {a}, {{s8-s15}}",
                "vldmia {b}, {{s16-s23}}",
                "vfma.f32 s0, s8, s16", "vfma.f32 s1, s9, s17",
                "vfma.f32 s2, s10, s18", "vfma.f32 s3, s11, s19",
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

    #[inline(always)]
    fn polynomial<const N: usize>(self, z: [f32; LANES], c: &[f32; N]) -> [f32; LANES] {
        const { assert!(N % 2 == 1 && N > 1) };
        polynomial(&z, c)
    }
}

impl Float for Armv7em {
    type Panel = [f32; LANES];
    const WIDTH: usize = LANES;
    const SUMS: usize = 1;

    #[inline(always)]
    fn panel(self, values: &[f32; LANES]) -> [f32; LANES] {
        *values
    }

    #[inline(always)]
    fn panel_binary16(self, values: &[u16; LANES]) -> [f32; LANES] {
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

    #[inline(always)]
    fn accumulate<W: FloatWeight, const G: usize, const P: usize>(
        self,
        sums: &mut [[[f32; LANES]; G]; P],
        rows: [&[[[W; LANES]; G]]; P],
        x: &[f32],
    ) {
        for (sums, rows) in sums.iter_mut().zip(rows) {
            let (pairs, single) = sums.as_chunks_mut::<2>();
            let mut gate = 0;
            for pair in pairs {
                two_gates(pair, rows, gate, x);
                gate += 2;
            }
            for sums in single {
                one_gate(sums, rows, gate, x);
            }
        }
    }

    #[inline(always)]
    fn take(self, panel: &[f32; LANES], _at: usize) -> [f32; LANES] {
        *panel
    }
    #[inline(always)]
    fn load(self, values: &[f32; LANES], _at: usize) -> [f32; LANES] {
        *values
    }
    #[inline(always)]
    fn store(self, v: [f32; LANES], out: &mut [f32; LANES], _at: usize) {
        *out = v;
    }

    #[inline(never)]
    fn tanh(self, x: [f32; LANES]) -> [f32; LANES] {
        tanh(self, x)
    }
}

/// Computes [`Float::polynomial`], two coefficients per round; two banks of registers hold the sums in turn.
/// `c` holds an odd number of coefficients.
#[inline(always)]
fn polynomial(z: &[f32; LANES], c: &[f32]) -> [f32; LANES] {
    let mut sum = MaybeUninit::<[f32; LANES]>::uninit();
    // SAFETY: reads eight floats from `z`, one from the end of `c` and then two a round, `c.len() / 2`
    // rounds; writes all eight of `sum`. The target has VFMA.
    unsafe {
        asm!(
            "vldmia {z}, {{s0-s7}}",
            "vldmdb {c}!, {{s24}}",
            broadcast!("s8" "s9" "s10" "s11" "s12" "s13" "s14" "s15"),
            "2:",
            "vldmdb {c}!, {{s24}}",
            broadcast!("s16" "s17" "s18" "s19" "s20" "s21" "s22" "s23"),
            "vfma.f32 s16, s8, s0", "vfma.f32 s17, s9, s1", "vfma.f32 s18, s10, s2", "vfma.f32 s19, s11, s3",
            "vfma.f32 s20, s12, s4", "vfma.f32 s21, s13, s5",
            "vfma.f32 s22, s14, s6", "vfma.f32 s23, s15, s7",
            "vldmdb {c}!, {{s24}}",
            broadcast!("s8" "s9" "s10" "s11" "s12" "s13" "s14" "s15"),
            "vfma.f32 s8, s16, s0", "vfma.f32 s9, s17, s1", "vfma.f32 s10, s18, s2", "vfma.f32 s11, s19, s3",
            "vfma.f32 s12, s20, s4", "vfma.f32 s13, s21, s5",
            "vfma.f32 s14, s22, s6", "vfma.f32 s15, s23, s7",
            "subs {n}, {n}, #1",
            "bne 2b",
            "vstmia {sum}, {{s8-s15}}",
            z = in(reg) z.as_ptr(),
            c = inout(reg) c.as_ptr_range().end => _,
            n = inout(reg) c.len() / 2 => _,
            sum = in(reg) sum.as_mut_ptr(),
            out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _,
            out("s7") _, out("s8") _, out("s9") _, out("s10") _, out("s11") _, out("s12") _, out("s13") _,
            out("s14") _, out("s15") _, out("s16") _, out("s17") _, out("s18") _, out("s19") _,
            out("s20") _, out("s21") _, out("s22") _, out("s23") _, out("s24") _,
            options(nostack),
        );
        sum.assume_init()
    }
}

#[inline(always)]
fn each(a: [f32; LANES], b: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> [f32; LANES] {
    core::array::from_fn(|lane| f(a[lane], b[lane]))
}

/// Adds rows onto `$sums`, the gates from `$gate` on: one row per input, two per round and an odd one first.
macro_rules! gates {
    ($sums:expr, $saved:literal, $rows:expr, $gate:expr, $x:expr,
     [$($first:expr),*], [$($second:expr),*]) => {{
        let (rows, x): (&[[[W; LANES]; G]], &[f32]) = ($rows, $x);
        let count = rows.len().min(x.len());
        let after = G.saturating_sub($sums.len()); // the gates of a row that are not read
        if count == 0 || $gate > after {
            return;
        }
        // SAFETY: `count` rows of `G` gates and `count` inputs are read. Of each row these are the gates of
        // the sums, which start at `gate` and end within the row; `w` moves on by a whole row.
        // The sums are read and written in place.
        unsafe {
            asm!(
                concat!("vldmia {sums}, {{", $saved, "}}"),
                "lsrs {n}, {n}, #1",
                "bcc 3f",
                "vldmia {x}!, {{s24}}",
                $($first,)*
                "add {w}, {w}, {skip}",
                "beq 4f", // on the flags of `lsrs`: nothing between writes them
                "3:",
                "vldmia {x}!, {{s24, s25}}",
                $($first,)*
                "add {w}, {w}, {skip}",
                $($second,)*
                "add {w}, {w}, {skip}",
                "subs {n}, {n}, #1",
                "bne 3b",
                "4:",
                concat!("vstmia {sums}, {{", $saved, "}}"),
                sums = in(reg) $sums.as_mut_ptr(),
                w = inout(reg) rows.as_ptr().cast::<[W; LANES]>().wrapping_add($gate) => _,
                x = inout(reg) x.as_ptr() => _,
                n = inout(reg) count => _,
                skip = in(reg) after * size_of::<[W; LANES]>(),
                out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _,
                out("s7") _, out("s8") _, out("s9") _, out("s10") _, out("s11") _, out("s12") _, out("s13") _,
                out("s14") _, out("s15") _, out("s16") _, out("s17") _, out("s18") _, out("s19") _,
                out("s20") _, out("s21") _, out("s22") _, out("s23") _, out("s24") _, out("s25") _,
                options(nostack),
            );
        }
    }};
}

#[inline(always)]
fn two_gates<W: FloatWeight, const G: usize>(
    sums: &mut [[f32; LANES]; 2],
    rows: &[[[W; LANES]; G]],
    gate: usize,
    x: &[f32],
) {
    if size_of::<W>() == size_of::<f32>() {
        gates!(
            sums,
            "s0-s15",
            rows,
            gate,
            x,
            [low!(floats "s24"), high!(floats "s24")],
            [low!(floats "s25"), high!(floats "s25")]
        );
    } else {
        gates!(
            sums,
            "s0-s15",
            rows,
            gate,
            x,
            [low!(halves "s24"), high!(halves "s24")],
            [low!(halves "s25"), high!(halves "s25")]
        );
    }
}

#[inline(always)]
fn one_gate<W: FloatWeight, const G: usize>(
    sums: &mut [f32; LANES],
    rows: &[[[W; LANES]; G]],
    gate: usize,
    x: &[f32],
) {
    let sums = core::array::from_mut(sums);
    if size_of::<W>() == size_of::<f32>() {
        gates!(sums, "s0-s7", rows, gate, x, [low!(floats "s24")], [low!(floats "s25")]);
    } else {
        gates!(sums, "s0-s7", rows, gate, x, [low!(halves "s24")], [low!(halves "s25")]);
    }
}
