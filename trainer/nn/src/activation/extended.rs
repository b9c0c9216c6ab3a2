//! The extended activations, which most networks do not use, and their slopes. Each is a function of one
//! unit; the definitions are those of Keras 3 (`keras/src/activations/activations.py`).

use super::Activation;
use crate::tensor::Real;

/// Klambauer et al., 2017: the fixed point of mean 0 and variance 1.
const SELU_SCALE: f64 = 1.0507009873554805;
const SELU_ALPHA: f64 = 1.6732632423543772;

/// Returns the value of an extended activation at `x`.
pub fn value<T: Real>(activation: Activation, x: T) -> T {
    let (zero, one, of) = (T::zero(), T::one(), T::of);
    let clip = |x: T, low: f64, high: f64| x.max(of(low)).min(of(high));
    match activation {
        Activation::Relu6 => clip(x, 0.0, 6.0),
        Activation::LeakyRelu(slope) => {
            if x < zero {
                of(slope.get().into()) * x
            } else {
                x
            }
        }
        Activation::Elu(alpha) => {
            if x < zero {
                of(alpha.get().into()) * x.exp_m1()
            } else {
                x
            }
        }
        Activation::Selu => of(SELU_SCALE) * if x < zero { of(SELU_ALPHA) * x.exp_m1() } else { x },
        Activation::Exponential => x.exp(),
        Activation::Softplus => softplus(x),
        Activation::Softsign => x / (one + x.abs()),
        Activation::Silu => x * sigmoid(x),
        Activation::HardSilu => x * clip(x / of(6.0) + of(0.5), 0.0, 1.0),
        Activation::Gelu => x * normal(x),
        Activation::Mish => x * softplus(x).tanh(),
        Activation::LogSigmoid => -softplus(-x),
        Activation::HardTanh => clip(x, -1.0, 1.0),
        Activation::HardShrink => {
            if x.abs() <= of(0.5) {
                zero
            } else {
                x
            }
        }
        Activation::SoftShrink => x - clip(x, -0.5, 0.5),
        Activation::TanhShrink => x - x.tanh(),
        Activation::Squareplus => {
            let root = x.hypot(of(2.0));
            // The numerator `x + root` would cancel.
            if x < zero { of(2.0) / (root - x) } else { (x + root) / of(2.0) }
        }
        Activation::SparsePlus => {
            if x >= one {
                x
            } else {
                clip((x + one) / of(2.0), 0.0, 1.0).powi(2)
            }
        }
        Activation::SparseSigmoid => clip((x + one) / of(2.0), 0.0, 1.0),
        Activation::Linear
        | Activation::Relu
        | Activation::Tanh
        | Activation::Sigmoid
        | Activation::HardSigmoid
        | Activation::HardSigmoidKeras1
        | Activation::Softmax
        | Activation::LogSoftmax => not_extended(activation),
    }
}

/// Returns the slope of an extended activation; `at` is the output, or the pre-activation where the slope
/// needs it.
pub fn slope<T: Real>(activation: Activation, at: T) -> T {
    let (zero, one, of) = (T::zero(), T::one(), T::of);
    let within = |low: f64, high: f64| at > of(low) && at < of(high);
    let share = |is: bool| if is { one } else { zero };
    match activation {
        Activation::Relu6 => share(within(0.0, 6.0)),
        Activation::LeakyRelu(slope) => {
            if at < zero {
                of(slope.get().into())
            } else {
                one
            }
        }
        Activation::Elu(alpha) => {
            let alpha = of(alpha.get().into());
            if at < zero {
                // An output of a negative alpha is above 0, so `at` is the pre-activation.
                if alpha < zero { alpha * at.exp() } else { at + alpha }
            } else {
                one
            }
        }
        Activation::Selu => {
            if at < zero {
                at + of(SELU_SCALE * SELU_ALPHA)
            } else {
                of(SELU_SCALE)
            }
        }
        Activation::Exponential => at,
        // y = log(1 + e): the slope is e / (1 + e) = 1 - exp(-y)
        Activation::Softplus => -(-at).exp_m1(),
        Activation::Softsign => (one - at.abs()).powi(2),
        Activation::Silu => {
            let s = sigmoid(at);
            s * (one + at * (one - s))
        }
        Activation::HardSilu => {
            if at >= of(3.0) {
                one
            } else if at <= of(-3.0) {
                zero
            } else {
                at / of(3.0) + of(0.5)
            }
        }
        Activation::Gelu => {
            let density = (-at * at / of(2.0)).exp() * of((2.0 * std::f64::consts::PI).sqrt().recip());
            normal(at) + at * density
        }
        Activation::Mish => {
            let t = softplus(at).tanh();
            t + at * sigmoid(at) * (one - t * t)
        }
        Activation::LogSigmoid => -at.exp_m1(),
        Activation::HardTanh => share(within(-1.0, 1.0)),
        Activation::HardShrink | Activation::SoftShrink => share(at != zero),
        Activation::TanhShrink => at.tanh().powi(2),
        // x = y - 1/y
        Activation::Squareplus => at * at / (at * at + one),
        Activation::SparsePlus => {
            if at >= one {
                one
            } else {
                at.sqrt()
            }
        }
        Activation::SparseSigmoid => {
            if within(0.0, 1.0) {
                of(0.5)
            } else {
                zero
            }
        }
        Activation::Linear
        | Activation::Relu
        | Activation::Tanh
        | Activation::Sigmoid
        | Activation::HardSigmoid
        | Activation::HardSigmoidKeras1
        | Activation::Softmax
        | Activation::LogSoftmax => not_extended(activation),
    }
}

/// Panics, as the dispatch in [`Activation`] computes all other activations itself.
fn not_extended(activation: Activation) -> ! {
    unreachable!("{} is not an extended activation", activation.keras_name())
}

fn softplus<T: Real>(x: T) -> T {
    x.max(T::zero()) + (-x.abs()).exp().ln_1p()
}

fn sigmoid<T: Real>(x: T) -> T {
    let e = (-x.abs()).exp();
    (if x < T::zero() { e } else { T::one() }) / (T::one() + e)
}

/// Returns the distribution function of the normal distribution.
fn normal<T: Real>(x: T) -> T {
    T::of(0.5 * libm::erfc(-x.to_f64() * std::f64::consts::FRAC_1_SQRT_2))
}
