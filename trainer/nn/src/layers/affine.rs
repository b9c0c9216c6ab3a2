//! `y = scale * x + offset` per feature in binary64: a normalization in inference, to be folded.
//!
//! Binary64, as a mean far above its deviation leaves few digits of an f32 offset: that of an air pressure of
//! 101,325 Pa with a deviation of 5 Pa is 20,265, with a rounding error of 0.001.

use super::BatchNormalization;
use crate::tensor::{Matrix, cast, product};

/// `y = scale * x + offset`, one of each per feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    /// `[features x 1]`.
    pub scale: Matrix<f64>,
    /// `[features x 1]`.
    pub offset: Matrix<f64>,
}

impl Affine {
    /// Returns this map followed by `next`.
    pub fn then(&self, next: &Affine) -> Affine {
        Affine {
            scale: self.scale.component_mul(&next.scale),
            offset: self.offset.component_mul(&next.scale) + &next.offset,
        }
    }

    /// Returns the map as a layer.
    pub fn layer(&self) -> BatchNormalization<f32> {
        BatchNormalization::affine(cast(&self.scale), cast(&self.offset))
    }

    /// Returns the factor by which folding the map into the weights over y can increase the error that
    /// rounding these weights causes, if the magnitudes of y are about 1.
    ///
    /// The weights of a row share one scale, so their errors are a share of the largest weight: folded,
    /// `max |w s|` in place of `max |w|`. And each error is multiplied by `x = (y - offset) / s` in place of
    /// y. A feature with a scale of 0 has no weight once it is folded.
    pub fn amplification(&self) -> f64 {
        let scales = || self.scale.iter().map(|scale| scale.abs()).filter(|&scale| scale > 0.0);
        let spread = scales().fold(0.0, f64::max) / scales().fold(f64::INFINITY, f64::min);
        spread * (1.0 + self.offset.iter().fold(0.0, |largest, offset| offset.abs().max(largest)))
    }

    /// Folds the map into the weights over y, `[rows x features]`, which become weights over x, and into
    /// their biases, `[rows x 1]`: `W' = W diag(scale)`, `b' = b + W offset`.
    pub(super) fn fold_before(&self, w: &mut Matrix<f32>, bias: &mut Matrix<f32>) {
        let weights: Matrix<f64> = cast(w);
        *bias = cast(&(cast::<f32, f64>(bias) + product(&weights, &self.offset)));
        for (mut column, &scale) in w.column_iter_mut().zip(self.scale.iter()) {
            column.apply(|w| *w = (f64::from(*w) * scale) as f32);
        }
    }

    /// Folds the map of `W x + b` into the weights, `[features x inputs]`, and the biases: `W' = diag(scale)
    /// W`, `b' = scale * b + offset`.
    pub(super) fn fold_after(&self, w: &mut Matrix<f32>, bias: &mut Matrix<f32>) {
        for (row, (&scale, &offset)) in self.scale.iter().zip(self.offset.iter()).enumerate() {
            w.row_mut(row).apply(|w| *w = (f64::from(*w) * scale) as f32);
            bias[row] = (f64::from(bias[row]) * scale + offset) as f32;
        }
    }
}
