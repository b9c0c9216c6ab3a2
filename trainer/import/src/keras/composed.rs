//! Layers that the runtime does not have, composed of several layers; those of functions of single values are
//! in [`crate::composed`].

use anyhow::{Result, ensure};

use crate::composed::{Elementwise, leaky_relus, one_leaky_relu};
use embedded_rnn_nn::activation::Activation;
use embedded_rnn_nn::layers::{Dense, Kind, Layer};
use embedded_rnn_nn::tensor::Matrix;

/// Returns the layers of a leaky relu with these slopes.
///
/// # Errors
/// Too many features.
pub fn leaky(slopes: &[f32]) -> Result<Vec<Kind<f32>>> {
    let size = slopes.len();
    if let Some(function) = one_leaky_relu(slopes) {
        return Ok(vec![Elementwise::Function(function).kind(size)]);
    }
    check_size(size)?;
    let both = leaky_relus(&Matrix::identity(size, size), &Matrix::zeros(size, 1), slopes);
    Ok(both.map(Kind::Dense).into())
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
