//! Decisions from the scores of the epochs so far: when to stop, which weights are the best, and when the
//! learning rate is reduced. The rules and defaults are those of Keras's callbacks.
//!
//! Everything follows from the history alone, so a resumed run decides as an uninterrupted one does.

use super::Epoch;
use crate::config::{EarlyStopping, ReduceLrOnPlateau};
use crate::loss::Loss;

/// The scores of the monitored name, of which higher or lower ones are better.
struct Monitored {
    values: Vec<f64>,
    higher: bool,
}

/// The state of early stopping after some epochs; epochs count from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    /// The name of the monitored score.
    pub monitor: String,
    /// The epoch with the best score.
    pub best_epoch: usize,
    /// The best score.
    pub best: f64,
    /// The epoch after which the training stops.
    pub stopped: Option<usize>,
}

impl Monitored {
    fn new(monitor: &str, loss: Loss, history: &[Epoch]) -> Self {
        let value = |epoch: &Epoch| epoch.scores(loss).into_iter().find(|(name, _)| *name == monitor);
        let values = history.iter().filter_map(value).map(|(_, value)| value).collect();
        Self { values, higher: loss.higher_is_better(monitor) }
    }

    /// Returns `true` if `value` is better than `best` by more than `min_delta`.
    fn improves(&self, value: f64, best: f64, min_delta: f64) -> bool {
        if self.higher { value - min_delta > best } else { value + min_delta < best }
    }

    fn worst(&self) -> f64 {
        if self.higher { f64::NEG_INFINITY } else { f64::INFINITY }
    }
}

impl Watch {
    /// Applies the rules to the epochs so far; `None` before the first.
    pub fn new(rules: &EarlyStopping, loss: Loss, history: &[Epoch]) -> Option<Self> {
        let monitored = Monitored::new(&rules.monitor, loss, history);
        let mut watch =
            Self { monitor: rules.monitor.clone(), best_epoch: 0, best: monitored.worst(), stopped: None };
        for (epoch, &value) in (1..).zip(&monitored.values) {
            if watch.best_epoch == 0 || monitored.improves(value, watch.best, rules.min_delta) {
                (watch.best_epoch, watch.best) = (epoch, value);
            } else if epoch - watch.best_epoch >= rules.patience {
                watch.stopped.get_or_insert(epoch);
            }
        }
        (watch.best_epoch > 0).then_some(watch)
    }
}

/// Returns the learning rate after the epochs so far: `rate`, multiplied by a factor at each plateau.
pub fn reduced_rate(rules: &ReduceLrOnPlateau, loss: Loss, history: &[Epoch], mut rate: f64) -> f64 {
    let monitored = Monitored::new(&rules.monitor, loss, history);
    let (mut best, mut wait, mut cooldown) = (monitored.worst(), 0, 0usize);
    for &value in &monitored.values {
        if cooldown > 0 {
            (cooldown, wait) = (cooldown - 1, 0);
        }
        if monitored.improves(value, best, rules.min_delta) {
            (best, wait) = (value, 0);
        } else if cooldown == 0 {
            wait += 1;
            if wait >= rules.patience && rate > rules.min_lr {
                rate = (rate * rules.factor).max(rules.min_lr);
                (cooldown, wait) = (rules.cooldown, 0);
            }
        }
    }
    rate
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns epochs with these values of `val_loss`, whose negatives are the values of `val_accuracy`.
    fn history(values: &[f64]) -> Vec<Epoch> {
        let epoch = |&value: &f64| Epoch {
            loss: 0.0,
            metric: 0.0,
            val_loss: Some(value),
            val_metric: Some(-value),
            learning_rate: 0.0,
            gradient_norm: 0.0,
        };
        values.iter().map(epoch).collect()
    }

    fn watch(rules: &str, values: &[f64]) -> (usize, Option<usize>) {
        let rules: EarlyStopping = toml::from_str(rules).unwrap();
        let watch = Watch::new(&rules, Loss::CategoricalCrossentropy, &history(values)).unwrap();
        (watch.best_epoch, watch.stopped)
    }

    const VALUES: [f64; 8] = [5.0, 4.0, 4.5, 3.9, 4.0, 4.1, 4.2, 3.0];

    #[test]
    fn stops_after_as_many_epochs_without_improvement_as_its_patience() {
        assert_eq!(watch("patience = 3", &VALUES[..6]), (4, None));
        assert_eq!(watch("patience = 3", &VALUES[..7]), (4, Some(7)));
        assert_eq!(watch("patience = 4", &VALUES), (8, None));
        // As in Keras, patiences of 0 and 1 are the same, and the first epoch never stops.
        assert_eq!(watch("patience = 0", &VALUES[..1]), (1, None));
        assert_eq!(watch("", &VALUES[..3]), (2, Some(3)));
        assert_eq!(watch("patience = 1", &VALUES[..3]), (2, Some(3)));
    }

    #[test]
    fn improvements_are_larger_than_the_least_difference_and_follow_the_metric() {
        assert_eq!(watch("patience = 3\nmin_delta = 0.2", &VALUES[..5]), (2, Some(5)));
        assert_eq!(watch("patience = 3\nmonitor = 'val_accuracy'", &VALUES[..7]), (4, Some(7)));
    }

    /// The rates are those that Keras's `ReduceLROnPlateau` sets for these values.
    #[test]
    fn the_rate_is_reduced_on_a_plateau_and_rests_in_a_cooldown() {
        let rate = |rules: &str, epochs: usize| {
            let rules: ReduceLrOnPlateau = toml::from_str(rules).unwrap();
            let values = [1.0, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.4, 0.5];
            reduced_rate(&rules, Loss::CategoricalCrossentropy, &history(&values[..epochs]), 1.0)
        };
        let all = |rules: &str| (1..=10).map(|epochs| rate(rules, epochs)).collect::<Vec<_>>();
        let halved = all("factor = 0.5\npatience = 2");
        assert_eq!(halved, [1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.125]);
        let rested = all("factor = 0.5\npatience = 2\ncooldown = 2");
        assert_eq!(rested, [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25]);
        let bounded = all("factor = 0.5\npatience = 2\nmin_lr = 0.4");
        assert_eq!(bounded[3..], [0.5, 0.5, 0.4, 0.4, 0.4, 0.4, 0.4]);
    }
}
