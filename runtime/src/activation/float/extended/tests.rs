//! The error of each extended activation, compared with f64.

use super::extended;
use crate::format::Activation;

type Exact = fn(f64) -> f64;

/// Each function with its parameter (0: the default one), its exact value, the magnitude that cancels in it
/// (0 if none does), and its worst error, rounded up to the next tenth. Errors are in roundings (2^-24) of
/// the result or of that magnitude, whichever is larger, and at least of the least normal number.
///
/// gelu's relative error grows with the square of `x`, whose rounding alone moves erfc by so much: 172 at
/// -11.8, where gelu is -2e-31.
const ALLOWED: &[(Activation, f32, Exact, f64, f64)] = &[
    (Activation::Relu6, 0.0, |x| x.clamp(0.0, 6.0), 0.0, 0.0),
    (Activation::LeakyRelu, 0.0, |x| if x < 0.0 { x / 5.0 } else { x }, 0.0, 1.3),
    (Activation::LeakyRelu, 0.25, |x| if x < 0.0 { x / 4.0 } else { x }, 0.0, 0.1),
    (Activation::LeakyRelu, -0.5, |x| if x < 0.0 { x / -2.0 } else { x }, 0.0, 0.1),
    (Activation::Elu, 0.0, |x| if x < 0.0 { x.exp_m1() } else { x }, 0.0, 1.3),
    (Activation::Elu, 0.75, |x| if x < 0.0 { 0.75 * x.exp_m1() } else { x }, 0.0, 2.1),
    (Activation::Selu, 0.0, selu, 0.0, 2.4),
    (Activation::Exponential, 0.0, f64::exp, 0.0, 1.2),
    (Activation::Softplus, 0.0, softplus, 0.0, 2.1),
    (Activation::Softsign, 0.0, |x| x / (1.0 + x.abs()), 0.0, 2.0),
    (Activation::Silu, 0.0, |x| x / (1.0 + (-x).exp()), 0.0, 3.7),
    (Activation::HardSilu, 0.0, |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0), 1.0, 1.8),
    (Activation::Gelu, 0.0, |x| 0.5 * x * libm::erfc(-x * 0.5f64.sqrt()), 0.0, 173.0),
    (Activation::Mish, 0.0, |x| x * softplus(x).tanh(), 0.0, 4.6),
    (Activation::LogSigmoid, 0.0, |x| -softplus(-x), 0.0, 2.1),
    (Activation::HardTanh, 0.0, |x| x.clamp(-1.0, 1.0), 0.0, 0.0),
    (Activation::HardShrink, 0.0, |x| if x.abs() <= 0.5 { 0.0 } else { x }, 0.0, 0.0),
    (Activation::SoftShrink, 0.0, |x| x - x.clamp(-0.5, 0.5), 0.0, 1.0),
    (Activation::TanhShrink, 0.0, |x| x - x.tanh(), 1.0, 1.5),
    (Activation::Squareplus, 0.0, squareplus, 0.0, 2.8),
    (Activation::SparsePlus, 0.0, sparse_plus, 0.0, 3.0),
    (Activation::SparseSigmoid, 0.0, |x| ((x + 1.0) / 2.0).clamp(0.0, 1.0), 1.0, 0.5),
];

fn selu(x: f64) -> f64 {
    const SCALE: f64 = 1.0507009873554805;
    const ALPHA: f64 = 1.6732632423543772;
    SCALE * if x < 0.0 { ALPHA * x.exp_m1() } else { x }
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn squareplus(x: f64) -> f64 {
    let root = x.hypot(2.0);
    if x < 0.0 { 2.0 / (root - x) } else { (x + root) / 2.0 }
}

fn sparse_plus(x: f64) -> f64 {
    if x >= 1.0 { x } else { ((x + 1.0) / 2.0).max(0.0).powi(2) }
}

/// Every 997th f32 of both signs.
fn samples() -> impl Iterator<Item = f32> {
    (0..f32::INFINITY.to_bits()).step_by(997).flat_map(|bits| [f32::from_bits(bits), -f32::from_bits(bits)])
}

#[test]
fn every_function_holds_its_bound() {
    for &(activation, parameter, exact, of, allowed) in ALLOWED {
        let (mut worst, mut at) = (0.0, 0.0);
        for x in samples() {
            let (y, exact) = (extended(activation, parameter, x), exact(x.into()));
            assert!(!y.is_nan(), "{activation:?}({x:e})");
            if exact.abs() > f32::MAX.into() {
                assert!(y.abs() > 3.4e38, "{activation:?}({x:e}) = {y:e}");
                continue;
            }
            let unit = (exact.abs().max(of) * 2f64.powi(-24)).max(2f64.powi(-126));
            let error = (f64::from(y) - exact).abs() / unit;
            if error > worst {
                (worst, at) = (error, x);
            }
        }
        assert!(worst <= allowed, "{activation:?}: {worst} at {at:e}");
    }
}

#[test]
fn all_rare_ones_are_measured() {
    let measured = |a: &&Activation| ALLOWED.iter().any(|(other, ..)| other == *a);
    let rare = Activation::ELEMENTWISE.iter().filter(|a| Activation::is_extended(**a as u8));
    assert_eq!(rare.clone().filter(measured).count(), rare.count());
}

#[test]
fn what_is_not_a_number_stays_so() {
    for &(activation, parameter, ..) in ALLOWED {
        assert!(extended(activation, parameter, f32::NAN).is_nan(), "{activation:?}");
    }
}
