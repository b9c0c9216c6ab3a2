//! Scores that rank outputs by a probability: the areas under the ROC and the precision-recall curve, and the
//! threshold of a detector.

use crate::loss::THRESHOLD;

/// The outputs of a detector, ordered by their probability.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranking {
    /// One entry per distinct probability, the highest first.
    cuts: Vec<Cut>,
}

/// The outputs with at least this probability.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cut {
    probability: f32,
    /// The outputs of class 1.
    hits: u64,
    /// All outputs.
    outputs: u64,
}

impl Ranking {
    /// Ranks probabilities, each with whether its target is class 1. Those that are NaN are ignored.
    pub fn new(outputs: impl Iterator<Item = (f32, bool)>) -> Self {
        let mut outputs: Vec<(f32, bool)> =
            outputs.filter(|(probability, _)| !probability.is_nan()).collect();
        outputs.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let mut cuts: Vec<Cut> = Vec::new();
        let (mut hits, mut count) = (0, 0);
        for (probability, is_hit) in outputs {
            (hits, count) = (hits + u64::from(is_hit), count + 1);
            let cut = Cut { probability, hits, outputs: count };
            match cuts.last_mut() {
                Some(last) if last.probability == probability => *last = cut,
                _ => cuts.push(cut),
            }
        }
        Self { cuts }
    }

    /// Returns the numbers of outputs of class 1 and of class 0.
    fn counts(&self) -> (u64, u64) {
        self.cuts.last().map_or((0, 0), |all| (all.hits, all.outputs - all.hits))
    }

    /// Returns the points of the ROC curve, false positive rate and true positive rate, from (0, 0) to
    /// (1, 1); `None` if there is only one class.
    pub fn roc(&self) -> Option<Vec<(f64, f64)>> {
        let (positives, negatives) = self.counts();
        if positives == 0 || negatives == 0 {
            return None;
        }
        let rate = |cut: &Cut| {
            ((cut.outputs - cut.hits) as f64 / negatives as f64, cut.hits as f64 / positives as f64)
        };
        Some(std::iter::once((0.0, 0.0)).chain(self.cuts.iter().map(rate)).collect())
    }

    /// Returns the area under the ROC curve.
    pub fn roc_auc(&self) -> Option<f64> {
        let area = |pair: &[(f64, f64)]| (pair[1].0 - pair[0].0) * (pair[1].1 + pair[0].1) / 2.0;
        self.roc().map(|curve| curve.windows(2).map(area).sum())
    }

    /// Returns the average precision: the area under the precision-recall curve, as steps. `None` without an
    /// output of class 1.
    pub fn average_precision(&self) -> Option<f64> {
        let (positives, _) = self.counts();
        let mut before = 0;
        let mut area = 0.0;
        for cut in &self.cuts {
            area += (cut.hits - before) as f64 * cut.hits as f64 / cut.outputs as f64;
            before = cut.hits;
        }
        (positives > 0).then(|| area / positives as f64)
    }

    /// Returns the threshold with the largest F1 of class 1, in the middle between two probabilities; of
    /// equally good ones the nearest to one half. `None` without an output of class 1.
    pub fn best_threshold(&self) -> Option<f64> {
        let (positives, _) = self.counts();
        let mut best: Option<(f64, f64, f64)> = None;
        // No threshold is below a probability of 0.
        for (k, cut) in self.cuts.iter().enumerate().filter(|(_, cut)| cut.probability > 0.0) {
            let below = self.cuts.get(k + 1).map_or(0.0, |next| f64::from(next.probability));
            let (threshold, f1) = (
                (f64::from(cut.probability) + below) / 2.0,
                2.0 * cut.hits as f64 / (cut.outputs + positives) as f64,
            );
            let distance = (threshold - THRESHOLD).abs();
            if best.is_none_or(|(_, most, least)| (f1, -distance) > (most, -least)) {
                best = Some((threshold, f1, distance));
            }
        }
        best.filter(|_| positives > 0).map(|(threshold, ..)| threshold)
    }
}

/// Scores of the probabilities of several classes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClassScores {
    /// The share of targets among the [`TOP`] most probable classes, if there are more classes.
    pub top_k: Option<f64>,
    /// The mean area under the ROC curves of each class against the rest.
    pub roc_auc: Option<f64>,
    /// The mean average precision of each class against the rest.
    pub average_precision: Option<f64>,
}

/// The number of most probable classes of the top-k accuracy, Keras's default.
pub const TOP: usize = 5;

impl ClassScores {
    /// Computes the scores of `outputs`, a probability per class each. The means are over the classes that
    /// are targets.
    pub fn new(classes: usize, outputs: &[f32], labels: &[u32]) -> Self {
        let rows = || outputs.chunks_exact(classes).zip(labels);
        let is_among = |(row, &label): (&[f32], &u32)| {
            let own = row[label as usize];
            row.iter().filter(|&&other| other > own).count() < TOP && !own.is_nan()
        };
        let among = rows().filter(|&row| is_among(row)).count() as f64 / labels.len().max(1) as f64;
        let mut present = vec![false; classes];
        labels.iter().for_each(|&label| present[label as usize] = true);
        let rankings: Vec<Ranking> = (0..classes)
            .filter(|&class| present[class])
            .map(|class| Ranking::new(rows().map(|(row, &label)| (row[class], label as usize == class))))
            .collect();
        let mean = |score: fn(&Ranking) -> Option<f64>| {
            let scores: Option<Vec<f64>> = rankings.iter().map(score).collect();
            scores.map(|scores| scores.iter().sum::<f64>() / rankings.len().max(1) as f64)
        };
        Self {
            top_k: (classes > TOP).then_some(among),
            roc_auc: mean(Ranking::roc_auc),
            average_precision: mean(Ranking::average_precision),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranking(outputs: &[(f32, bool)]) -> Ranking {
        Ranking::new(outputs.iter().copied())
    }

    #[test]
    fn areas_and_threshold_by_hand() {
        let found = ranking(&[(0.2, false), (0.9, true), (0.6, false), (0.5, true), (0.5, false)]);
        // Of the 6 pairs of classes, 4 are in order and one is equal.
        assert!((found.roc_auc().unwrap() - 4.5 / 6.0).abs() < 1e-15);
        assert!((found.average_precision().unwrap() - (0.5 + 0.5 * 2.0 / 4.0)).abs() < 1e-15);
        // F1 is 2/3 above 0.75 and 4/6 above 0.35: as good, but nearer to one half.
        assert!((found.best_threshold().unwrap() - 0.35).abs() < 1e-7);
    }

    #[test]
    fn a_single_class_has_no_curve() {
        let negative = ranking(&[(0.2, false), (0.9, false)]);
        assert_eq!(
            (negative.roc_auc(), negative.average_precision(), negative.best_threshold()),
            (None, None, None)
        );
        let positive = ranking(&[(0.2, true)]);
        assert_eq!((positive.roc_auc(), positive.average_precision()), (None, Some(1.0)));
        assert_eq!(positive.best_threshold(), Some(0.1f32 as f64));
    }
}
