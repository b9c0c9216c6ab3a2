//! The loss functions and their gradients. Both are means over the columns of the whole batch, as in Keras.

use serde::{Deserialize, Serialize};

use crate::tensor::{Matrix, Real};

/// A loss; the names are Keras's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// `-ln(p of the target class)`, for a network that ends in a softmax.
    CategoricalCrossentropy,
    /// The mean squared error over the outputs of a frame.
    Mse,
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
    /// The gradient of the pre-activations of the last layer, its softmax included: `p - y`, which stays
    /// exact for small `p`.
    PreActivations(Matrix<T>),
}

/// The loss and the metric of columns; scores of batches can be added.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// The sum of the losses of the columns.
    pub loss: f64,
    /// For labels the number of correct outputs, for values the sum of absolute errors (a mean over the
    /// outputs).
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
    /// Returns the name of the metric that accompanies this loss.
    pub fn metric_name(self) -> &'static str {
        match self {
            Self::CategoricalCrossentropy => "accuracy",
            Self::Mse => "mae",
        }
    }

    /// Returns the name of the metric on validation data.
    pub fn val_metric_name(self) -> &'static str {
        match self {
            Self::CategoricalCrossentropy => "val_accuracy",
            Self::Mse => "val_mae",
        }
    }
}

impl Loss {
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
    /// Scores `output`, `[out x columns]`: cross-entropy for labels, squared errors for values.
    pub fn score(&self, output: &Matrix<T>) -> Score {
        let mut score = Score { columns: output.ncols(), ..Score::default() };
        for (column, output) in output.as_slice().chunks_exact(output.nrows()).enumerate() {
            let (loss, metric) = match self {
                Self::Labels(labels) => score_label(output, labels[column] as usize),
                Self::Values(values) => score_values(output, values.column(column).iter()),
            };
            score.loss += loss;
            score.metric += metric;
        }
        score
    }

    /// Returns the gradient of the mean over `columns` columns, of which these may be a part.
    pub fn gradient(&self, output: &Matrix<T>, columns: usize) -> LossGradient<T> {
        let share = T::of(1.0 / columns as f64);
        match self {
            Self::Labels(labels) => {
                let mut d = output.clone();
                for (column, &label) in labels.iter().enumerate() {
                    d[(label as usize, column)] -= T::one();
                }
                LossGradient::PreActivations(d * share)
            }
            Self::Values(values) => {
                let share = share * T::of(2.0 / output.nrows() as f64);
                LossGradient::Output((output - values) * share)
            }
        }
    }
}

/// The lower bound of a probability, Keras's `backend.epsilon()`, as that of an integer model may be 0. It is
/// applied by `clamp`, which keeps a NaN: the `max` of a NaN and a number is the number.
const EPSILON: f64 = 1e-7;

/// Returns the loss, and 1 if the most probable class is the target.
fn score_label<T: Real>(output: &[T], label: usize) -> (f64, f64) {
    let probability = output[label].to_f64();
    let loss = -probability.clamp(EPSILON, f64::INFINITY).ln();
    let correct = argmax(output) == label && !probability.is_nan();
    (loss, if correct { 1.0 } else { 0.0 })
}

/// Returns the mean squared and the mean absolute error.
fn score_values<'a, T: Real>(output: &[T], values: impl Iterator<Item = &'a T>) -> (f64, f64) {
    let differences = output.iter().zip(values).map(|(&y, &t)| (y - t).to_f64());
    let (squares, sizes) = differences.fold((0.0, 0.0), |(s, a), d| (s + d * d, a + d.abs()));
    (squares / output.len() as f64, sizes / output.len() as f64)
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
mod tests {
    use super::*;

    #[test]
    fn cross_entropy_and_accuracy_by_hand() {
        let output = Matrix::from_vec(2, 3, vec![0.25f64, 0.75, 0.5, 0.5, 1.0, 0.0]);
        let score = BatchTargets::<f64>::Labels(vec![1, 1, 1]).score(&output);
        // A tie goes to the first class; a probability of 0 is raised to the bound.
        let lifted = -EPSILON.ln();
        assert!((score.mean_loss() - (-(0.75f64.ln()) - 0.5f64.ln() + lifted) / 3.0).abs() < 1e-12);
        assert_eq!((score.metric, score.columns), (1.0, 3));
    }

    #[test]
    fn a_probability_that_is_no_number_shows_in_the_loss_and_is_not_correct() {
        let output = Matrix::from_vec(2, 2, vec![f32::NAN, f32::NAN, 0.5, 0.5]);
        let score = BatchTargets::<f32>::Labels(vec![0, 0]).score(&output);
        assert!(score.loss.is_nan());
        assert_eq!(score.metric, 1.0);
    }

    #[test]
    fn squared_and_absolute_errors_by_hand() {
        let output = Matrix::from_vec(2, 2, vec![1.0f64, 2.0, 3.0, 4.0]);
        let targets = BatchTargets::Values(Matrix::from_vec(2, 2, vec![1.0, 0.0, 4.0, 4.0]));
        let score = targets.score(&output);
        assert_eq!((score.mean_loss(), score.mean_metric()), ((2.0 + 0.5) / 2.0, (1.0 + 0.5) / 2.0));
    }
}
