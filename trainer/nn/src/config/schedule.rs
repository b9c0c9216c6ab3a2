//! The schedule of the learning rate; formulas are those of Keras's schedules.

use anyhow::{Result, ensure};

use super::{Schedule, Training};

impl Schedule {
    fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::CosineDecay => "cosine_decay",
            Self::ExponentialDecay => "exponential_decay",
            Self::PiecewiseConstantDecay => "piecewise_constant_decay",
        }
    }
}

impl Training {
    /// Returns the learning rate of an update according to the schedule, given the `updates` made so far and
    /// the number of `all` updates. The schedule begins after the warm-up.
    pub fn rate(&self, updates: u64, all: u64) -> f64 {
        match updates.checked_sub(self.warmup_steps) {
            Some(updates) => self.scheduled(updates, all.saturating_sub(self.warmup_steps)),
            None => self.scheduled(0, all) * updates as f64 / self.warmup_steps as f64,
        }
    }

    fn scheduled(&self, updates: u64, all: u64) -> f64 {
        let initial = self.initial_rate();
        match self.learning_rate_schedule {
            Schedule::Constant => initial,
            Schedule::CosineDecay => {
                let steps = self.decay_steps.unwrap_or(all).max(1);
                let done = updates.min(steps) as f64 / steps as f64;
                let alpha = self.alpha.unwrap_or(0.0);
                let cosine = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
                initial * ((1.0 - alpha) * cosine + alpha)
            }
            Schedule::ExponentialDecay => {
                let done = updates as f64 / self.decay_steps.unwrap_or(1) as f64;
                let power = if self.staircase == Some(true) { done.floor() } else { done };
                initial * self.decay_rate.unwrap_or(1.0).powf(power)
            }
            Schedule::PiecewiseConstantDecay => {
                let boundaries = self.boundaries.iter().flatten();
                let passed = boundaries.filter(|&&boundary| updates > boundary).count();
                self.values.iter().flatten().nth(passed).copied().unwrap_or(initial)
            }
        }
    }

    /// Returns `true` if the number of epochs influences the first epochs.
    pub fn depends_on_epochs(&self) -> bool {
        self.learning_rate_schedule == Schedule::CosineDecay && self.decay_steps.is_none()
    }

    /// Rejects options that the schedule does not have, missing ones, and values out of range.
    pub(super) fn check_schedule(&self) -> Result<()> {
        use Schedule::{CosineDecay, ExponentialDecay, PiecewiseConstantDecay};
        let schedule = self.learning_rate_schedule;
        let name = schedule.name();
        let (exponential, piecewise) = (schedule == ExponentialDecay, schedule == PiecewiseConstantDecay);
        // A key, whether it is given, may be used, and is needed.
        for (key, given, used, needed) in [
            ("decay_steps", self.decay_steps.is_some(), exponential || schedule == CosineDecay, exponential),
            ("decay_rate", self.decay_rate.is_some(), exponential, exponential),
            ("staircase", self.staircase.is_some(), exponential, false),
            ("alpha", self.alpha.is_some(), schedule == CosineDecay, false),
            ("boundaries", self.boundaries.is_some(), piecewise, piecewise),
            ("values", self.values.is_some(), piecewise, piecewise),
            ("learning_rate", self.learning_rate.is_some(), !piecewise, false),
        ] {
            ensure!(used || !given, "training.{key}: not used by the schedule {name}");
            ensure!(given || !needed, "training.{key}: the schedule {name} needs it");
        }
        ensure!(self.decay_steps != Some(0), "training.decay_steps: 0");
        let fits = |value: Option<f64>| value.is_none_or(|value| (0.0..=1.0).contains(&value));
        ensure!(fits(self.alpha), "training.alpha: {} is not from 0 to 1", self.alpha.unwrap_or_default());
        let positive = |value: &f64| *value > 0.0 && value.is_finite();
        let rate = self.decay_rate.unwrap_or(1.0);
        ensure!(positive(&rate), "training.decay_rate: {rate} is not a positive number");
        let (boundaries, values) = (self.boundaries.iter().flatten(), self.values.iter().flatten());
        ensure!(
            boundaries.clone().is_sorted_by(|a, b| a < b),
            "training.boundaries: not in increasing order"
        );
        ensure!(values.clone().all(positive), "training.values: not all are positive numbers");
        let (boundaries, values) = (boundaries.count(), values.count());
        ensure!(
            !piecewise || values == boundaries + 1,
            "training.values: {values}, but {boundaries} boundaries need {}",
            boundaries + 1
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn training(keys: &str) -> Training {
        toml::from_str(&format!("loss = 'mse'\nepochs = 1\n{keys}")).unwrap()
    }

    /// The rates are those of Keras 3.15, made by `trainer/tests/keras/make_optimizers.py`.
    #[test]
    fn rates_are_those_of_keras() {
        for (keys, expected) in [
            (
                "learning_rate = 0.5\nlearning_rate_schedule = 'exponential_decay'\ndecay_steps = 4\n\
                 decay_rate = 0.8",
                &[
                    0.500000000,
                    0.472870797,
                    0.447213590,
                    0.422948509,
                    0.400000006,
                    0.378296643,
                    0.357770890,
                    0.338358819,
                    0.320000023,
                    0.302637339,
                    0.286216706,
                ][..],
            ),
            (
                "learning_rate = 0.5\nlearning_rate_schedule = 'exponential_decay'\ndecay_steps = 4\n\
                 decay_rate = 0.8\nstaircase = true",
                &[
                    0.500000000,
                    0.500000000,
                    0.500000000,
                    0.500000000,
                    0.400000006,
                    0.400000006,
                    0.400000006,
                    0.400000006,
                    0.320000023,
                    0.320000023,
                    0.320000023,
                ],
            ),
            (
                "learning_rate_schedule = 'piecewise_constant_decay'\nboundaries = [2, 5]\n\
                 values = [0.5, 0.25, 0.125]",
                &[
                    0.500000000,
                    0.500000000,
                    0.500000000,
                    0.250000000,
                    0.250000000,
                    0.250000000,
                    0.125000000,
                    0.125000000,
                    0.125000000,
                    0.125000000,
                    0.125000000,
                ],
            ),
            (
                "learning_rate = 0.5\nlearning_rate_schedule = 'cosine_decay'\ndecay_steps = 6\nalpha = 0.1\n\
                 warmup_steps = 3",
                &[
                    0.000000000,
                    0.166666672,
                    0.333333343,
                    0.500000000,
                    0.469855726,
                    0.387499988,
                    0.274999976,
                    0.162499979,
                    0.080144286,
                    0.050000001,
                    0.050000001,
                ],
            ),
        ] {
            let training = training(keys);
            training.check_schedule().unwrap();
            for (updates, expected) in (0..).zip(expected) {
                let found = training.rate(updates, 100);
                assert!((found - expected).abs() < 1e-7, "{keys}: {found} after {updates}, not {expected}");
            }
        }
    }

    #[test]
    fn options_of_other_schedules_and_missing_ones_are_rejected() {
        let reason = |keys: &str| training(keys).check_schedule().unwrap_err().to_string();
        assert_eq!(reason("alpha = 0.1"), "training.alpha: not used by the schedule constant");
        let exponential = "learning_rate_schedule = 'exponential_decay'";
        let needs = "training.decay_steps: the schedule exponential_decay needs it";
        assert_eq!(reason(exponential), needs);
        let piecewise = "learning_rate_schedule = 'piecewise_constant_decay'";
        let few = format!("{piecewise}\nboundaries = [2, 5]\nvalues = [0.5]");
        assert_eq!(reason(&few), "training.values: 1, but 2 boundaries need 3");
        let order = format!("{piecewise}\nboundaries = [5, 2]\nvalues = [0.5, 0.2, 0.1]");
        assert_eq!(reason(&order), "training.boundaries: not in increasing order");
    }
}
