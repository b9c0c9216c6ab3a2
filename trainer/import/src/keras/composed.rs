//! Layers that the runtime does not have, composed of several layers.
//!
//! ```text
//! clip(x, 0, limit)    limit/6 relu6(6/limit x): an activation between two scales
//! x, or a x below 0    relu(x) - sign(a) relu(-|a| x): a Dense layer of twice the units, and one that joins
//!                      the halves
//! ```
//! The slopes are in the first Dense, so that the other weights are all of magnitude 1 and exact in 8 bits.

use anyhow::{Result, ensure};

use embedded_rnn_nn::activation::Activation;
use embedded_rnn_nn::layers::{self, BatchNormalization, Dense, Kind, Layer};
use embedded_rnn_nn::tensor::Matrix;

/// Returns the layers of `clip(x, 0, limit)`.
pub fn limited(features: usize, limit: f32) -> Vec<Kind<f32>> {
    let scaled = |scale: f32| {
        let (scale, offset) = (Matrix::repeat(features, 1, scale), Matrix::zeros(features, 1));
        Kind::BatchNormalization(BatchNormalization::affine(scale, offset))
    };
    let activation = Kind::Activation(layers::Activation::new(features, Activation::Relu6));
    vec![scaled(6.0 / limit), activation, scaled(limit / 6.0)]
}

/// Returns the layers of a leaky relu with these slopes.
///
/// # Errors
/// Too many features.
pub fn leaky(slopes: &[f32]) -> Result<Vec<Kind<f32>>> {
    let size = slopes.len();
    check_size(size)?;
    let halves = Matrix::from_fn(2 * size, size, |row, column| match row.checked_sub(size) {
        Some(row) if row == column => -slopes[row].abs(),
        None if row == column => 1.0,
        _ => 0.0,
    });
    let joined = Matrix::from_fn(size, 2 * size, |row, column| match column.checked_sub(size) {
        Some(column) if row == column => -slopes[row].signum(),
        None if row == column => 1.0,
        _ => 0.0,
    });
    Ok(vec![dense(halves, Activation::Relu), dense(joined, Activation::Linear)])
}

/// Checks that weights from all features to all are harmless for a PC: a small file can declare many.
fn check_size(features: usize) -> Result<()> {
    const MAX: usize = 1 << 12;
    ensure!(features <= MAX, "{features} features: only up to {MAX} are supported in this layer");
    Ok(())
}

/// Lets a linear Dense before a leaky relu take the place of its first Dense.
pub fn merge(before: Option<&mut Layer<f32>>, kinds: &mut Vec<Kind<f32>>) {
    let is_linear = |dense: &Dense<f32>| dense.activation == Activation::Linear;
    if let Some(Layer { kind: Kind::Dense(before), .. }) = before
        && is_linear(before)
        && let [Kind::Dense(halves), Kind::Dense(_)] = &kinds[..]
    {
        let (weight, bias) = (&halves.weight * &before.weight, &halves.weight * &before.bias);
        *before = Dense { weight, bias, activation: Activation::Relu, use_bias: before.use_bias };
        kinds.remove(0);
    }
}

fn dense(weight: Matrix<f32>, activation: Activation) -> Kind<f32> {
    let bias = Matrix::zeros(weight.nrows(), 1);
    Kind::Dense(Dense { weight, bias, activation, use_bias: true })
}
