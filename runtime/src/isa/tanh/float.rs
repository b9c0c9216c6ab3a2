//! tanh in `f32`: a rational function, over any instruction set.

use crate::isa::Arithmetic;

/// The limit to which arguments are clamped. The evaluation below is exactly 1 there, fused or not, and not
/// above 1 for any smaller argument (the first one above is 7.972), so that the result needs no clamp. tanh
/// itself is 1 - 2.4e-7 there.
pub const TANH_LIMIT: f32 = 7.968_419_6;

/// The numerator of tanh(x) / x as a rational function of x^2, lowest power first.
///
/// Own fit: minimax in relative error over 0..9.02 (2.1e-8) by iteratively reweighted least squares, then a
/// search over neighboring `f32` for the smallest worst error of this very evaluation.
///
/// Worst error over every `f32`, measured by `cargo test -p embedded-rnn --features std -- --ignored
/// --nocapture every_float`: 5.52 ULP fused (at 7.54), 6.36 ULP with separate roundings (at 7.72), both where
/// the result is nearly 1 and a ULP is 2^-24. Up to 1 it is 3.8 ULP, and 2 ULP where tanh(x) is x to the last
/// bit, subnormals included. From one `f32` to the next the result may step back by 7 and 8 ULP. The tests of
/// `activation` check these figures in every run.
pub const TANH_P: [f32; 5] = [1.427_975_5, 0.191_059_04, 0.004_989_389_3, 2.939_26e-5, 1.901_916_1e-8];
/// The denominator.
pub const TANH_Q: [f32; 5] = [1.427_975_7, 0.667_050_6, 0.036_943_235, 0.000_468_816_55, 1.108_391_3e-6];

/// Computes `tanh(x)`, never outside -1..=1; NaN stays NaN.
///
/// `x * P(x^2) / Q(x^2)` with `x` clamped to +-7.968.
#[inline(always)]
pub fn tanh<S: Arithmetic>(isa: S, x: S::V) -> S::V {
    let x = isa.max(isa.splat(-TANH_LIMIT), isa.min(isa.splat(TANH_LIMIT), x));
    let z = isa.mul(x, x);
    let p = isa.mul(x, isa.polynomial(z, &TANH_P));
    isa.div(p, isa.polynomial(z, &TANH_Q))
}
