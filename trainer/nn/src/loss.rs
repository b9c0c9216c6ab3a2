//! The loss functions and their gradients, with Keras's names, formulas and defaults. Each is a mean over the
//! columns of the whole batch, in which a column may have a weight.

mod objective;

pub use objective::{Objective, THRESHOLD};

use serde::{Deserialize, Serialize};

use crate::tensor::{Matrix, Real, cast};

/// A loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// `-ln(p of the target class)`, for a network that ends in a softmax.
    CategoricalCrossentropy,
    /// `-ln(p)` where the target is 1 and `-ln(1 - p)` where it is 0, for a network that ends in a sigmoid.
    BinaryCrossentropy,
    /// The mean squared error over the outputs of a frame.
    #[serde(alias = "mean_squared_error")]
    Mse,
    /// The mean absolute error over the outputs of a frame.
    #[serde(alias = "mean_absolute_error")]
    Mae,
    /// Half the squared error up to `delta`, and beyond it `delta` times the absolute error less a constant.
    Huber,
}

/// The targets of the columns of a packed batch.
#[derive(Clone, Debug)]
pub enum BatchTargets<T: Real> {
    /// The target class of every column.
    Labels(Vec<u32>),
    /// The target values, `[out x columns]`.
    Values(Matrix<T>),
}

/// The gradient of a loss, at the place where it applies.
pub enum LossGradient<T: Real> {
    /// The gradient of the network's output.
    Output(Matrix<T>),
    /// The gradient of the pre-activations of the last layer, its softmax or sigmoid included: `p - y`, which
    /// stays exact for small `p`.
    PreActivations(Matrix<T>),
}

/// The loss and the metric of columns; scores of batches can be added.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// The sum of the losses of the columns, each times its weight.
    pub loss: f64,
    /// For classes the number of correct outputs, for values the sum of absolute errors (a mean over the
    /// outputs of a column). It has no weights.
    pub metric: f64,
    /// The number of columns.
    pub columns: usize,
}

impl Score {
    /// Returns the sum of two scores.
    pub fn plus(self, other: Self) -> Self {
        Self {
            loss: self.loss + other.loss,
            metric: self.metric + other.metric,
            columns: self.columns + other.columns,
        }
    }

    /// Returns the mean loss.
    pub fn mean_loss(&self) -> f64 {
        self.loss / self.columns.max(1) as f64
    }

    /// Returns the accuracy, or the mean absolute error.
    pub fn mean_metric(&self) -> f64 {
        self.metric / self.columns.max(1) as f64
    }
}

impl Loss {
    /// Returns the name in a config.
    pub fn name(self) -> &'static str {
        match self {
            Self::CategoricalCrossentropy => "categorical_crossentropy",
            Self::BinaryCrossentropy => "binary_crossentropy",
            Self::Mse => "mse",
            Self::Mae => "mae",
            Self::Huber => "huber",
        }
    }

    /// Returns `true` if the targets are classes or probabilities, `false` if they are values of any size.
    pub fn is_crossentropy(self) -> bool {
        matches!(self, Self::CategoricalCrossentropy | Self::BinaryCrossentropy)
    }

    /// Returns the name of the metric that accompanies this loss.
    pub fn metric_name(self) -> &'static str {
        if self.is_crossentropy() { "accuracy" } else { "mae" }
    }

    /// Returns the name of the metric on validation data.
    pub fn val_metric_name(self) -> &'static str {
        if self.is_crossentropy() { "val_accuracy" } else { "val_mae" }
    }

    /// Returns the names of the scores of an epoch.
    pub fn score_names(self) -> [&'static str; 4] {
        ["loss", self.metric_name(), "val_loss", self.val_metric_name()]
    }

    /// Returns `true` if higher values of the score with this name are better.
    pub fn higher_is_better(self, score: &str) -> bool {
        score.ends_with("accuracy")
    }
}

impl<T: Real> BatchTargets<T> {
    /// Converts the targets to another number type.
    pub fn cast<U: Real>(&self) -> BatchTargets<U> {
        match self {
            Self::Labels(labels) => BatchTargets::Labels(labels.clone()),
            Self::Values(values) => BatchTargets::Values(cast(values)),
        }
    }
}

/// Returns the index of the largest value; the first of equals, as numpy's `argmax` does.
pub fn argmax<T: PartialOrd + Copy>(values: &[T]) -> usize {
    let mut best = 0;
    for (k, &value) in values.iter().enumerate() {
        if value > values[best] {
            best = k;
        }
    }
    best
}

#[cfg(test)]
mod tests;
