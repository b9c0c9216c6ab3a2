//! The check of variances, whose square roots are divisors.

use anyhow::{Result, ensure};

use embedded_rnn_nn::tensor::Matrix;

/// Checks the variances of a BatchNormalization in inference.
///
/// # Errors
/// A negative variance, or one whose sum with epsilon is not positive.
pub fn check_variances(variances: &Matrix<f32>, epsilon: f32) -> Result<()> {
    for &variance in variances {
        ensure!(variance >= 0.0, "negative variance {variance}");
        ensure!(variance + epsilon > 0.0, "variance {variance} plus epsilon {epsilon}: not positive");
    }
    Ok(())
}
