//! The errors of outputs that are values.

/// The differences between outputs and targets, summed over all outputs of all targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Residuals {
    /// The sums of each output.
    outputs: Vec<Sums>,
    count: u64,
}

/// The sums of one output.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sums {
    /// The absolute errors.
    absolute: f64,
    /// The squared errors.
    squares: f64,
    /// The mean of the targets so far.
    mean: f64,
    /// The squared differences of the targets from their mean.
    variance: f64,
}

impl Residuals {
    /// Creates empty sums of `size` outputs.
    pub fn new(size: usize) -> Self {
        Self { outputs: vec![Sums::default(); size], count: 0 }
    }

    /// Adds the outputs for one target.
    pub fn add(&mut self, outputs: &[f32], targets: &[f32]) {
        self.count += 1;
        for (sums, (&output, &target)) in self.outputs.iter_mut().zip(outputs.iter().zip(targets)) {
            let (output, target) = (f64::from(output), f64::from(target));
            sums.absolute += (output - target).abs();
            sums.squares += (output - target).powi(2);
            // Welford's update, which loses no digits where the mean is far from 0.
            let from_mean = target - sums.mean;
            sums.mean += from_mean / self.count as f64;
            sums.variance += from_mean * (target - sums.mean);
        }
    }

    fn mean(&self, value: impl Fn(&Sums) -> f64) -> f64 {
        self.outputs.iter().map(value).sum::<f64>() / self.outputs.len().max(1) as f64
    }

    /// Returns the mean absolute error.
    pub fn mae(&self) -> f64 {
        self.mean(|sums| sums.absolute) / self.count.max(1) as f64
    }

    /// Returns the root of the mean squared error.
    pub fn rmse(&self) -> f64 {
        (self.mean(|sums| sums.squares) / self.count.max(1) as f64).sqrt()
    }

    /// Returns the coefficient of determination, a mean over the outputs: 1 without errors, 0 for the mean of
    /// the targets. As in scikit-learn, it is 0 for wrong outputs of constant targets.
    pub fn r2(&self) -> f64 {
        self.mean(|sums| match (sums.squares, sums.variance) {
            (0.0, _) => 1.0,
            (_, 0.0) => 0.0,
            (squares, variance) => 1.0 - squares / variance,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_targets_have_no_variance_to_explain() {
        let of = |pairs: [(f32, f32); 2]| {
            let mut residuals = Residuals::new(1);
            pairs.iter().for_each(|&(output, target)| residuals.add(&[output], &[target]));
            (residuals.mae(), residuals.rmse(), residuals.r2())
        };
        assert_eq!(of([(3.0, 3.0), (3.0, 3.0)]), (0.0, 0.0, 1.0));
        assert_eq!(of([(4.0, 3.0), (2.0, 3.0)]), (1.0, 1.0, 0.0));
        // The targets 1 and 5 vary by 8, the errors are 1 and 1.
        assert_eq!(of([(2.0, 1.0), (4.0, 5.0)]), (1.0, 1.0, 0.75));
    }
}
