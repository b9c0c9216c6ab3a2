//! The extended activations, one value after another: the same bits on every target, whatever its instruction
//! set.
//!
//! Definitions and the values of parameters are those of Keras 3 (`keras/src/activations/activations.py`).
//! They are made of libm's functions, whose documented errors are below one ULP; the worst errors of the
//! activations are 0 to 4.6 roundings of the result (2^-24 of it), except for gelu far below 0; `tests`
//! checks each figure.

use crate::format::Activation;
use libm::{erfcf, expf, expm1f, hypotf, log1pf, tanhf};

/// The scale of selu, the fixed point of mean 0 and variance 1: Klambauer et al., 2017.
const SELU_SCALE: f32 = 1.050_701;
/// The scale of selu times its alpha of 1.6732632.
const SELU_NEGATIVE: f32 = 1.758_099_3;

/// Computes an extended activation of one unit; returns `x` for any other activation. A `parameter` of 0
/// stands for the default one.
#[inline(never)]
pub fn extended(activation: Activation, parameter: f32, x: f32) -> f32 {
    let parameter = |default| if parameter == 0.0 { default } else { parameter };
    match activation {
        Activation::Relu6 => clip(x, 0.0, 6.0),
        Activation::LeakyRelu if x < 0.0 => parameter(0.2) * x,
        Activation::Elu if x < 0.0 => parameter(1.0) * expm1f(x),
        Activation::Selu => {
            if x < 0.0 {
                SELU_NEGATIVE * expm1f(x)
            } else {
                SELU_SCALE * x
            }
        }
        Activation::Exponential => expf(x),
        Activation::Softplus => softplus(x),
        Activation::Softsign => x / (1.0 + abs(x)),
        Activation::Silu => silu(x),
        Activation::HardSilu => x * clip(x / 6.0 + 0.5, 0.0, 1.0),
        // Phi(x) = erfc(-x / sqrt(2)) / 2
        Activation::Gelu => 0.5 * x * erfcf(-core::f32::consts::FRAC_1_SQRT_2 * x),
        Activation::Mish => mish(x),
        Activation::LogSigmoid => -softplus(-x),
        Activation::HardTanh => clip(x, -1.0, 1.0),
        Activation::HardShrink if abs(x) <= 0.5 => 0.0,
        Activation::SoftShrink => x - clip(x, -0.5, 0.5),
        Activation::TanhShrink => x - tanhf(x),
        Activation::Squareplus => squareplus(x),
        Activation::SparsePlus if x < 1.0 => {
            let root = clip(0.5 * x + 0.5, 0.0, 1.0);
            root * root
        }
        Activation::SparseSigmoid => clip(0.5 * x + 0.5, 0.0, 1.0),
        _ => x,
    }
}

/// Clamps `x` to `low..=high`; NaN stays NaN.
fn clip(x: f32, low: f32, high: f32) -> f32 {
    if x < low {
        low
    } else if x > high {
        high
    } else {
        x
    }
}

fn abs(x: f32) -> f32 {
    libm::fabsf(x)
}

/// Computes `log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|))`
fn softplus(x: f32) -> f32 {
    (if x < 0.0 { 0.0 } else { x }) + log1pf(expf(-abs(x)))
}

/// Computes `x / (1 + exp(-x))`, for negative `x` as `x exp(x) / (1 + exp(x))`, which does not overflow.
fn silu(x: f32) -> f32 {
    let e = expf(-abs(x));
    (if x < 0.0 { x * e } else { x }) / (1.0 + e)
}

/// Computes `x tanh(log(1 + e)) = x n / (n + 2)`, `e = exp(x)`, `n = e (e + 2)`; the quotient is 1 to the
/// last bit above 10.
fn mish(x: f32) -> f32 {
    if x > 10.0 {
        return x;
    }
    let e = expf(x);
    let n = e * (e + 2.0);
    x * (n / (n + 2.0))
}

/// Computes `(x + sqrt(x^2 + 4)) / 2`, for negative `x` as `2 / (sqrt(x^2 + 4) - x)`, which does not cancel.
fn squareplus(x: f32) -> f32 {
    let root = hypotf(x, 2.0);
    if x < 0.0 { 2.0 / (root - x) } else { 0.5 * x + 0.5 * root }
}

#[cfg(all(test, feature = "std"))]
mod tests;
