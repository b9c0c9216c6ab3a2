//! The float half: panels of eight units in memory, as stable Rust has no register class for floats on this
//! target, and assembly that takes them from there, of single floats in `vfp` and of Helium's vectors in
//! `mve`.

#[cfg(helium)]
mod mve;
#[cfg(not(helium))]
mod vfp;

use super::Armv7em;
use crate::format::LANES;
use crate::isa::tanh::float::{TANH_LIMIT, TANH_P, TANH_Q};
use crate::isa::{Arithmetic, Float, FloatWeight};
use core::mem::MaybeUninit;
#[cfg(helium)]
use mve as fpu;
#[cfg(not(helium))]
use vfp as fpu;

/// The constants of [`tanh`](crate::isa::tanh::float::tanh) in the order in which the assembly loads them.
#[repr(C)]
struct TanhConstants {
    /// The numerator, highest power first.
    p: [f32; 5],
    /// The denominator, likewise.
    q: [f32; 5],
    /// The limits of arguments: above, below.
    limits: [f32; 2],
}

static TANH: TanhConstants =
    TanhConstants { p: reversed(TANH_P), q: reversed(TANH_Q), limits: [TANH_LIMIT, -TANH_LIMIT] };

/// Returns coefficients in reverse order.
const fn reversed([a, b, c, d, e]: [f32; 5]) -> [f32; 5] {
    [e, d, c, b, a]
}

/// One gate or two of a panel in rows of weights, one row per input.
struct Rows<W> {
    /// The first weight of the first of the gates.
    w: *const W,
    x: *const f32,
    /// The number of rows and inputs, at least 1.
    count: usize,
    /// Bytes from the last gate of a row to the first of the next.
    #[cfg(not(helium))]
    skip: usize,
}

impl<W> Rows<W> {
    /// Takes `gates` gates of each row from `gate` on; `None` if there are no inputs, or not as many gates.
    #[inline(always)]
    fn new<const G: usize>(rows: &[[[W; LANES]; G]], gate: usize, gates: usize, x: &[f32]) -> Option<Self> {
        let count = rows.len().min(x.len());
        let after = G.saturating_sub(gates); // the gates of a row that are not read
        if count == 0 || gates > G || gate > after {
            return None;
        }
        Some(Self {
            w: rows.as_ptr().cast::<[W; LANES]>().wrapping_add(gate).cast(),
            x: x.as_ptr(),
            count,
            #[cfg(not(helium))]
            skip: after * size_of::<[W; LANES]>(),
        })
    }
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
        fpu::mul(a, &b)
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
    #[inline(always)]
    fn mul_add(self, a: [f32; LANES], b: [f32; LANES], c: [f32; LANES]) -> [f32; LANES] {
        fpu::mul_add(&a, &b, c)
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
        fpu::panel_binary16(values)
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
                if let Some(rows) = Rows::new(rows, gate, 2, x) {
                    // SAFETY: each row has two gates from `gate` on, and `rows` as many rows as inputs.
                    unsafe { fpu::two_gates::<W, G>(pair, rows) };
                }
                gate += 2;
            }
            for sums in single {
                if let Some(rows) = Rows::new(rows, gate, 1, x) {
                    // SAFETY: each row has a gate at `gate`, and `rows` as many rows as inputs.
                    unsafe { fpu::one_gate::<W, G>(sums, rows) };
                }
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

    #[inline(always)]
    fn tanh(self, x: [f32; LANES]) -> [f32; LANES] {
        let mut out = Panels::uninit();
        let [out] = tanh(&[x], &mut out);
        *out
    }

    const CELLS: bool = true;

    #[inline(always)]
    fn lstm_cell(self, sums: &[[f32; LANES]; 4], c: &mut [f32; LANES], h: &mut [f32; LANES]) {
        fpu::lstm_cell(sums, c, h);
    }
    #[inline(always)]
    fn gru_cell(
        self,
        sums: &[[f32; LANES]; 3],
        n_x: &[f32; LANES],
        h: &[f32; LANES],
        next: &mut [f32; LANES],
    ) {
        fpu::gru_cell(sums, n_x, h, next);
    }
}

/// Memory for the tanh of panels.
type Panels<const N: usize> = MaybeUninit<[[f32; LANES]; N]>;

/// Computes [`tanh`](crate::isa::tanh::float::tanh) of panels, in `out`.
#[inline(always)]
fn tanh<'a, const N: usize>(x: &[[f32; LANES]; N], out: &'a mut Panels<N>) -> &'a [[f32; LANES]; N] {
    const { assert!(N > 0) };
    // SAFETY: both hold `N` panels, at least one, and all of `out` is written.
    unsafe {
        fpu::tanh_each(x.as_ptr(), x.as_ptr_range().end, out.as_mut_ptr().cast());
        out.assume_init_ref()
    }
}

#[inline(always)]
fn each(a: [f32; LANES], b: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> [f32; LANES] {
    core::array::from_fn(|lane| f(a[lane], b[lane]))
}
