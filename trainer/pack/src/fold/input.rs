//! Normalizations of inputs whose mean is far above their deviation.
//!
//! In f32, `scale * x + offset` of an air pressure is the difference of two numbers near 20,000, each with a
//! rounding error of 0.001. `x - mean` has no error that x itself does not have. A Normalization whose scales
//! are powers of two computes exactly that: `x * 2^k` and the offset `-mean * 2^k` are not rounded. The rest,
//! a factor of 1 to 2 and an offset near 0, is folded into the next layer, as it spreads no row.

use embedded_rnn_nn::layers::{Affine, Normalization};
use embedded_rnn_nn::tensor::Matrix;

/// The largest offset that is computed as it is: its rounding error, in units of the deviation, is about
/// 10^-6, as is that of a tanh.
const MAX_OFFSET: f64 = 16.0;

/// The limit of the exponents of the scales, so that the variance, their square, is an f32.
const MAX_EXPONENT: f64 = 60.0;

/// Splits a normalization of inputs into a Normalization without rounding errors and the rest; `None` if the
/// normalization itself has no larger ones.
pub fn centered(affine: &Affine) -> Option<(Normalization<f32>, Affine)> {
    if affine.offset.iter().all(|offset| offset.abs() <= MAX_OFFSET) {
        return None;
    }
    let features = affine.scale.nrows();
    let column = |value: &dyn Fn(usize) -> f64| Matrix::from_fn(features, 1, |k, _| value(k));
    let power = column(&|k| power_below(affine.scale[k]));
    let mean = column(&|k| zero_of(affine.scale[k], affine.offset[k]));
    let rest = Affine {
        scale: affine.scale.component_div(&power),
        offset: &affine.offset + affine.scale.component_mul(&mean),
    };
    let normalization = Normalization {
        mean: mean.map(|mean| mean as f32),
        variance: power.map(|power| power.powi(-2) as f32),
    };
    Some((normalization, rest))
}

/// Returns the power of two at or below the magnitude of a scale; 1 for a scale of 0.
fn power_below(scale: f64) -> f64 {
    if scale == 0.0 { 1.0 } else { scale.abs().log2().floor().clamp(-MAX_EXPONENT, MAX_EXPONENT).exp2() }
}

/// Returns the f32 nearest to the x of `scale * x + offset = 0`; 0 if there is none.
fn zero_of(scale: f64, offset: f64) -> f64 {
    let zero = (-offset / scale) as f32;
    if zero.is_finite() { zero.into() } else { 0.0 }
}
