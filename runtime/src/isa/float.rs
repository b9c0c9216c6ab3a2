//! The operations that the float kernels use.

use super::tanh::float::tanh;
use crate::format::LANES;
use bytemuck::Pod;

/// Arithmetic on vectors of `f32`.
pub trait Arithmetic: Copy {
    /// The values that one instruction works on.
    type V: Copy;
    /// `true` if [`mul_add`](Arithmetic::mul_add) rounds once.
    const FUSED: bool;

    /// Returns `value` in every lane.
    fn splat(self, value: f32) -> Self::V;
    /// Computes `a * b`.
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// Computes `a / b`.
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// Computes `a * b + c`, rounded once if [`FUSED`](Arithmetic::FUSED), else twice.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// Computes `if a < b { a } else { b }`: a NaN in `a` gives `b`.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// Computes `if a > b { a } else { b }`: a NaN in `a` gives `b`.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;

    /// Computes `c[0] + z (c[1] + z (c[2] + ...))`, one [`mul_add`](Arithmetic::mul_add) per power.
    #[inline(always)]
    fn polynomial<const N: usize>(self, z: Self::V, c: &[f32; N]) -> Self::V {
        let mut sum = self.splat(0.0);
        for (k, &c) in c.iter().enumerate().rev() {
            sum = if k + 1 == N { self.splat(c) } else { self.mul_add(sum, z, self.splat(c)) };
        }
        sum
    }
}

/// The hot loop over panels of weights, and the vectors of what it computes.
///
/// `Panel` holds the [`LANES`] units of a panel; `V` holds the units that one instruction works on, a whole
/// panel or an equal part of it. Addition order is part of the contract: [`accumulate`](Float::accumulate)
/// adds the terms of a sum in the order of `x`, one after another, so that all instruction sets with the same
/// [`FUSED`](Arithmetic::FUSED) give the same bits.
pub trait Float: Arithmetic {
    /// One value for every unit of a panel.
    type Panel: Copy;
    /// The number of units in a `V`.
    const WIDTH: usize;
    /// The largest number of panels of sums in registers: independent sums hide the latency of the additions.
    const SUMS: usize;

    /// Runs a part of a kernel: as a function of its own where a kernel has many such parts with registers of
    /// their own.
    #[inline(always)]
    fn call<P: Part<Self>>(self, weights: &P::Weights, x: &[f32], h: &[f32], layer: &mut P::Layer) {
        P::run(self, weights, x, h, layer);
    }

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

    /// Computes [`tanh`] of each; where a vector takes many instructions it is a function of its own, linked
    /// once.
    #[inline(always)]
    fn tanh(self, x: Self::V) -> Self::V {
        tanh(self, x)
    }

    /// Computes [`tanh`](Float::tanh) of two vectors, which may share instructions.
    #[inline(always)]
    fn two_tanh(self, a: Self::V, b: Self::V) -> (Self::V, Self::V) {
        (self.tanh(a), self.tanh(b))
    }

    /// `true` if the instruction set has functions of its own for the update of a panel in cells with tanh
    /// and sigmoid: where vectors lie in memory, each operation on its own costs twice the instructions.
    const CELLS: bool = false;
    /// Updates c and h of a panel of an Lstm, given the pre-activations of the gates i, f, g, o.
    #[inline(always)]
    fn lstm_cell(self, _sums: &[Self::Panel; 4], _c: &mut [f32; LANES], _h: &mut [f32; LANES]) {
        const { assert!(!Self::CELLS) };
    }
    /// Computes the next h of a panel of a Gru with the reset gate after the product, given the
    /// pre-activations of z, of r and of n over h, and that of n over x.
    #[inline(always)]
    fn gru_cell(
        self,
        _sums: &[Self::Panel; 3],
        _n_x: &Self::Panel,
        _h: &[f32; LANES],
        _next: &mut [f32; LANES],
    ) {
        const { assert!(!Self::CELLS) };
    }
}

/// A part of a kernel, for one instruction set. It takes references as parameters, not as fields: a compiler
/// uses that two parameters do not overlap, but not that two fields do not.
pub trait Part<S> {
    /// The weights that it reads.
    type Weights: ?Sized;
    /// The layer that it updates.
    type Layer;
    /// Runs it. Implementations are `#[inline(always)]`.
    fn run(isa: S, weights: &Self::Weights, x: &[f32], h: &[f32], layer: &mut Self::Layer);
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
