//! A loss with its options, and its formulas.

use super::{BatchTargets, Loss, LossGradient, Score, argmax};
use crate::tensor::{Matrix, Real};

/// The lower bound of a probability, Keras's `backend.epsilon()`, as that of an integer model may be 0. It is
/// applied by `clamp`, which keeps a NaN: the `max` of a NaN and a number is the number.
const EPSILON: f64 = 1e-7;

/// The probability above which an output of a sigmoid stands for class 1, as in Keras's `BinaryAccuracy`.
pub const THRESHOLD: f64 = 0.5;

/// The function that training minimizes: a loss with its options.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// The loss.
    pub loss: Loss,
    /// The share of every target of a cross-entropy that is spread evenly over all classes.
    pub label_smoothing: f64,
    /// The error at which a Huber loss turns from squares to absolute values.
    pub delta: f64,
}

impl Objective {
    /// Builds a loss with the default options.
    pub fn new(loss: Loss) -> Self {
        Self { loss, label_smoothing: 0.0, delta: 1.0 }
    }

    /// Scores `output`, `[out x columns]`. `weights` are those of the columns, by default 1.
    pub fn score<T: Real>(
        &self,
        targets: &BatchTargets<T>,
        weights: Option<&[T]>,
        output: &Matrix<T>,
    ) -> Score {
        let mut score = Score { columns: output.ncols(), ..Score::default() };
        for (column, output) in output.as_slice().chunks_exact(output.nrows()).enumerate() {
            let target = |row| targets.get(row, column, output.len());
            let loss = self.loss_of(output, target);
            score.loss += weights.map_or(1.0, |weights| weights[column].to_f64()) * loss;
            score.metric += self.metric_of(output, target);
        }
        score
    }

    /// Returns the gradient of the mean over `columns` columns, of which these may be a part.
    pub fn gradient<T: Real>(
        &self,
        targets: &BatchTargets<T>,
        weights: Option<&[T]>,
        output: &Matrix<T>,
        columns: usize,
    ) -> LossGradient<T> {
        let outputs = output.nrows();
        let share = T::of(1.0 / columns as f64) * T::of(self.factor(outputs));
        let mut d = Matrix::from_fn(outputs, output.ncols(), |row, column| {
            let target = self.smoothed(targets.get(row, column, outputs).to_f64(), outputs);
            self.slope(output[(row, column)] - T::of(target)) * share
        });
        for (mut column, &weight) in d.column_iter_mut().zip(weights.unwrap_or_default()) {
            column *= weight;
        }
        if self.loss.is_crossentropy() { LossGradient::PreActivations(d) } else { LossGradient::Output(d) }
    }

    /// Returns the factor of [`slope`](Self::slope) in the loss of a column: but for a cross-entropy over
    /// classes, the loss is a mean over the outputs.
    fn factor(&self, outputs: usize) -> f64 {
        match self.loss {
            Loss::CategoricalCrossentropy => 1.0,
            Loss::Mse => 2.0 / outputs as f64,
            Loss::BinaryCrossentropy | Loss::Mae | Loss::Huber => 1.0 / outputs as f64,
        }
    }

    /// Returns the target of a cross-entropy, moved towards that of equally likely classes.
    fn smoothed(&self, target: f64, outputs: usize) -> f64 {
        let even = match self.loss {
            Loss::CategoricalCrossentropy => 1.0 / outputs as f64,
            _ => 0.5,
        };
        target * (1.0 - self.label_smoothing) + even * self.label_smoothing
    }

    /// Returns the slope of the loss at an error, of a cross-entropy in the pre-activation.
    fn slope<T: Real>(&self, error: T) -> T {
        match self.loss {
            Loss::CategoricalCrossentropy | Loss::BinaryCrossentropy | Loss::Mse => error,
            Loss::Mae => sign(error),
            Loss::Huber if error.to_f64().abs() > self.delta => sign(error) * T::of(self.delta),
            Loss::Huber => error,
        }
    }

    /// Returns the loss of a column.
    fn loss_of<T: Real>(&self, output: &[T], target: impl Fn(usize) -> T) -> f64 {
        let mut sum = 0.0;
        for (row, y) in output.iter().enumerate() {
            let (y, target) = (y.to_f64(), self.smoothed(target(row).to_f64(), output.len()));
            let error = y - target;
            sum += match self.loss {
                // The logarithms of most classes have no weight.
                Loss::CategoricalCrossentropy if target == 0.0 => 0.0,
                Loss::CategoricalCrossentropy => -target * log(y),
                Loss::BinaryCrossentropy => -target * log(y) - (1.0 - target) * log(1.0 - y),
                Loss::Mse => error * error,
                Loss::Mae => error.abs(),
                Loss::Huber if error.abs() > self.delta => self.delta * (error.abs() - 0.5 * self.delta),
                Loss::Huber => 0.5 * error * error,
            };
        }
        if self.loss == Loss::CategoricalCrossentropy { sum } else { sum / output.len() as f64 }
    }

    /// Returns the accuracy of a column or its mean absolute error.
    fn metric_of<T: Real>(&self, output: &[T], target: impl Fn(usize) -> T) -> f64 {
        if self.loss == Loss::CategoricalCrossentropy {
            let class = argmax(output);
            let is_largest = (0..output.len()).all(|row| target(row) <= target(class));
            return f64::from(is_largest && !output[class].to_f64().is_nan());
        }
        let pairs = output.iter().enumerate().map(|(row, y)| (y.to_f64(), target(row).to_f64()));
        let sum: f64 = match self.loss.is_crossentropy() {
            true => {
                pairs.map(|(y, target)| f64::from(f64::from(y > THRESHOLD) == target && !y.is_nan())).sum()
            }
            false => pairs.map(|(y, target)| (y - target).abs()).sum(),
        };
        sum / output.len() as f64
    }
}

impl<T: Real> BatchTargets<T> {
    /// Returns a target as a value. A label is 1 in its own row and 0 in all others; with a single output, it
    /// is the value itself.
    fn get(&self, row: usize, column: usize, outputs: usize) -> T {
        match self {
            Self::Values(values) => values[(row, column)],
            Self::Labels(labels) => {
                let class = if outputs == 1 { 1 } else { row };
                T::of(f64::from(labels[column] as usize == class))
            }
        }
    }
}

fn log(probability: f64) -> f64 {
    probability.clamp(EPSILON, f64::INFINITY).ln()
}

/// Returns -1, 0 or 1; of a NaN a NaN.
fn sign<T: Real>(value: T) -> T {
    if value == T::zero() || value.to_f64().is_nan() { value } else { value.signum() }
}
