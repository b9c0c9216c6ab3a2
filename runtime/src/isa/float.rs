//! The operations that the float kernels use.

use super::tanh::float::tanh;
use crate::format::LANES;
use bytemuck::Pod;

/// Vectors of `f32` and the one hot loop over them.
///
/// `Panel` holds the [`LANES`] units of a panel; `V` holds the units that one instruction works on, a whole
/// panel or an equal part of it. Addition order is part of the contract: [`accumulate`](Float::accumulate)
/// adds the terms of a sum in the order of `x`, one after another, so that all instruction sets with the same
/// [`FUSED`](Float::FUSED) give the same bits.
pub trait Float: Copy {
    /// One value for every unit of a panel.
    type Panel: Copy;
    /// The units that one instruction works on.
    type V: Copy;
    /// The number of units in a `V`.
    const WIDTH: usize;
    /// `true` if [`mul_add`](Float::mul_add) rounds once.
    const FUSED: bool;
    /// The largest number of sums, gates times panels, that run side by side: independent sums hide the
    /// latency of the additions.
    const SUMS: usize;

    /// Loads a panel.
    fn panel(self, values: &[f32; LANES]) -> Self::Panel;
    /// Loads a panel from the bits of binary16 values; exact.
    fn panel_binary16(self, values: &[u16; LANES]) -> Self::Panel;

    /// Computes `sums[g] += row[g] * x` for each row of weights and its input, in order.
    fn accumulate<W: FloatWeight, const G: usize, const P: usize>(
        self,
        sums: &mut [[Self::Panel; G]; P],
        rows: [&[[[W; LANES]; G]]; P],
        x: &[f32],
    );

    /// Returns the units of a panel from `at` on, a multiple of [`WIDTH`](Float::WIDTH) below [`LANES`].
    fn take(self, panel: &Self::Panel, at: usize) -> Self::V;

    /// Loads the values from `at` on, an index as in [`take`](Float::take).
    fn load(self, values: &[f32; LANES], at: usize) -> Self::V;
    /// Stores the values to an index as in [`take`](Float::take).
    fn store(self, v: Self::V, out: &mut [f32; LANES], at: usize);
    /// Returns `value` in every unit.
    fn splat(self, value: f32) -> Self::V;
    /// Computes `a * b`.
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// Computes `a / b`.
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// Computes `a * b + c`, rounded once if [`FUSED`](Float::FUSED), else twice.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// Computes `if a < b { a } else { b }`: a NaN in `a` gives `b`.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// Computes `if a > b { a } else { b }`: a NaN in `a` gives `b`.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;

    /// Computes `c[0] + z (c[1] + z (c[2] + ...))`, one [`mul_add`](Float::mul_add) per power.
    #[inline(always)]
    fn polynomial<const N: usize>(self, z: Self::V, c: &[f32; N]) -> Self::V {
        let mut sum = self.splat(0.0);
        for (k, &c) in c.iter().enumerate().rev() {
            sum = if k + 1 == N { self.splat(c) } else { self.mul_add(sum, z, self.splat(c)) };
        }
        sum
    }

    /// Computes [`tanh`] of each; where a vector takes many instructions it is a function of its own, linked
    /// once.
    #[inline(always)]
    fn tanh(self, x: Self::V) -> Self::V {
        tanh(self, x)
    }
}

/// A weight of the float kernels as it lies in the file: `f32`, or the bits of a binary16 in a `u16`.
pub trait FloatWeight: Pod {
    /// Loads a panel.
    fn panel<S: Float>(isa: S, values: &[Self; LANES]) -> S::Panel;
    /// Converts the weight to `f32`; exact.
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

impl FloatWeight for u16 {
    #[inline(always)]
    fn panel<S: Float>(isa: S, values: &[u16; LANES]) -> S::Panel {
        isa.panel_binary16(values)
    }
    #[inline(always)]
    fn to_f32(self) -> f32 {
        super::binary16::to_f32(self)
    }
}
