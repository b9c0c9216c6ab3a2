//! What the float kernels ask of an instruction set.

use crate::activation::float::tanh;
use bytemuck::Pod;
use half::f16;

/// Units of a panel: float weights lie in groups of so many units, gate by gate (FORMAT.md).
pub const LANES: usize = 8;

/// Vectors of `f32` and the one hot loop over them.
///
/// `Panel` holds the [`LANES`] units of a panel; `V` is what one instruction works on, all of a panel or one unit.
/// Addition order is part of the contract: [`accumulate`](Float::accumulate) adds the terms of a sum in the order of
/// `x`, one after another, so that all instruction sets with the same [`FUSED`](Float::FUSED) give the same bits.
pub trait Float: Copy {
    /// One value for every unit of a panel.
    type Panel: Copy;
    /// One instruction's worth of units.
    type V: Copy;
    /// Units in a `V`.
    const WIDTH: usize;
    /// Whether [`mul_add`](Float::mul_add) rounds once.
    const FUSED: bool;
    /// Most sums, gates times panels, worth running side by side: independent ones hide the latency of the additions.
    const SUMS: usize;

    /// A panel out of memory.
    fn panel(self, values: &[f32; LANES]) -> Self::Panel;
    /// The same, made of half floats; exact.
    fn panel_f16(self, values: &[f16; LANES]) -> Self::Panel;

    /// For each row of weights and its input: `sums[g] += row[g] * x`, in order.
    fn accumulate<W: FloatWeight, const G: usize, const P: usize>(
        self,
        sums: &mut [[Self::Panel; G]; P],
        rows: [&[[[W; LANES]; G]]; P],
        x: &[f32],
    );

    /// The units of a panel from `at` on, a multiple of [`WIDTH`](Float::WIDTH) below [`LANES`].
    fn take(self, panel: &Self::Panel, at: usize) -> Self::V;

    /// The values from `at` on, a place as in [`take`](Float::take).
    fn load(self, values: &[f32; LANES], at: usize) -> Self::V;
    /// Stores to a place as in [`take`](Float::take).
    fn store(self, v: Self::V, out: &mut [f32; LANES], at: usize);
    /// The same value everywhere.
    fn splat(self, value: f32) -> Self::V;
    /// `a * b`
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a / b`
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b + c`, rounded once if [`FUSED`](Float::FUSED), else twice.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `if a < b { a } else { b }`: a NaN in `a` gives `b`.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// `if a > b { a } else { b }`: a NaN in `a` gives `b`.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;

    /// `c[0] + z (c[1] + z (c[2] + ...))`, a [`mul_add`](Float::mul_add) for each step.
    #[inline(always)]
    fn polynomial<const N: usize>(self, z: Self::V, c: &[f32; N]) -> Self::V {
        let mut sum = self.splat(0.0);
        for (k, &c) in c.iter().enumerate().rev() {
            sum = if k + 1 == N { self.splat(c) } else { self.mul_add(sum, z, self.splat(c)) };
        }
        sum
    }

    /// [`tanh`] of each; where a vector is many instructions it is a function of its own, so that it is there once.
    #[inline(always)]
    fn tanh(self, x: Self::V) -> Self::V {
        tanh(self, x)
    }
}

/// A weight of the float kernels, as it lies in the file.
pub trait FloatWeight: Pod {
    /// A panel out of memory.
    fn panel<S: Float>(isa: S, values: &[Self; LANES]) -> S::Panel;
    /// The weight itself; exact.
    fn to_f32(self) -> f32;
}

impl FloatWeight for f32 {
    #[inline(always)]
    fn panel<S: Float>(isa: S, values: &[f32; LANES]) -> S::Panel {
        isa.panel(values)
    }
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }
}

impl FloatWeight for f16 {
    #[inline(always)]
    fn panel<S: Float>(isa: S, values: &[f16; LANES]) -> S::Panel {
        isa.panel_f16(values)
    }
    #[inline(always)]
    fn to_f32(self) -> f32 {
        f16::to_f32(self)
    }
}
