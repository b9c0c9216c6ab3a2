//! The quality of a classifier, computed from its confusion matrix.
//!
//! As in scikit-learn, the macro average is over the classes that occur among the true or the predicted ones,
//! and a quotient with a denominator of 0 counts as 0.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A confusion matrix: the number of outputs per pair of true and predicted class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    /// The counts per true class and predicted class; only pairs that occur, as there may be many classes.
    counts: BTreeMap<(usize, usize), u64>,
    /// The names of the classes; a class without a name goes by its number.
    labels: Vec<String>,
}

/// The quality of a classifier for one class, or on average.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    /// The share of correct outputs among those predicted as this class.
    pub precision: f64,
    /// The share of correct outputs among those of this true class.
    pub recall: f64,
    /// The harmonic mean of precision and recall.
    pub f1: f64,
    /// The number of outputs of this true class.
    pub support: u64,
}

fn quotient(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl Confusion {
    /// Creates an empty matrix for classes with these names.
    pub fn new(labels: Vec<String>) -> Self {
        Self { counts: BTreeMap::new(), labels }
    }

    /// Counts one output.
    pub fn count(&mut self, actual: usize, predicted: usize) {
        *self.counts.entry((actual, predicted)).or_default() += 1;
    }

    /// Returns the name of a class. Names come from users, so control characters are escaped.
    pub fn label(&self, class: usize) -> String {
        self.labels.get(class).map_or_else(|| class.to_string(), |label| label.escape_debug().to_string())
    }

    /// Returns the number of outputs of class `actual` that were predicted as `predicted`.
    pub fn get(&self, actual: usize, predicted: usize) -> u64 {
        self.counts.get(&(actual, predicted)).copied().unwrap_or(0)
    }

    /// Returns the number of outputs whose true and predicted class satisfy `matches`.
    fn sum(&self, matches: impl Fn(usize, usize) -> bool) -> u64 {
        let counts = self.counts.iter().filter(|&(&(actual, predicted), _)| matches(actual, predicted));
        counts.map(|(_, n)| n).sum()
    }

    /// Returns the number of outputs.
    pub fn total(&self) -> u64 {
        self.sum(|_, _| true)
    }

    /// Returns the number of outputs of a true class.
    pub fn support(&self, class: usize) -> u64 {
        self.sum(|actual, _| actual == class)
    }

    /// Returns the number of outputs predicted as a class.
    fn predicted(&self, class: usize) -> u64 {
        self.sum(|_, predicted| predicted == class)
    }

    /// Returns the share of correct outputs, which is also the micro average of precision, recall and F1.
    pub fn accuracy(&self) -> f64 {
        quotient(self.sum(|actual, predicted| actual == predicted), self.total())
    }

    /// Returns the classes that occur among the true or the predicted ones.
    pub fn present(&self) -> Vec<usize> {
        let classes: BTreeSet<usize> =
            self.counts.keys().flat_map(|&(actual, predicted)| [actual, predicted]).collect();
        classes.into_iter().collect()
    }

    /// Returns the quality for one class.
    pub fn class(&self, class: usize) -> Quality {
        let (hits, support, predicted) = (self.get(class, class), self.support(class), self.predicted(class));
        Quality {
            precision: quotient(hits, predicted),
            recall: quotient(hits, support),
            f1: quotient(2 * hits, support + predicted),
            support,
        }
    }

    /// Returns the unweighted average over the classes that are present.
    pub fn macro_average(&self) -> Quality {
        let present = self.present();
        let each: Vec<Quality> = present.iter().map(|&class| self.class(class)).collect();
        let mean =
            |value: fn(&Quality) -> f64| each.iter().map(value).sum::<f64>() / each.len().max(1) as f64;
        Quality {
            precision: mean(|q| q.precision),
            recall: mean(|q| q.recall),
            f1: mean(|q| q.f1),
            support: self.total(),
        }
    }

    /// Returns the average over the classes, each with its support as its weight.
    pub fn weighted_average(&self) -> Quality {
        let total = self.total().max(1) as f64;
        self.present().into_iter().map(|class| self.class(class)).fold(Quality::default(), |sum, class| {
            let weight = class.support as f64 / total;
            Quality {
                precision: sum.precision + weight * class.precision,
                recall: sum.recall + weight * class.recall,
                f1: sum.f1 + weight * class.f1,
                support: sum.support + class.support,
            }
        })
    }

    /// Returns the mean recall of the true classes.
    pub fn balanced_accuracy(&self) -> f64 {
        let classes = self.present().into_iter().map(|class| self.class(class));
        let recalls: Vec<f64> = classes.filter(|class| class.support > 0).map(|class| class.recall).collect();
        recalls.iter().sum::<f64>() / recalls.len().max(1) as f64
    }

    /// Returns the averages over the classes, with their names.
    pub fn averages(&self) -> [(&'static str, Quality); 3] {
        [
            ("macro", self.macro_average()),
            ("micro", self.micro_average()),
            ("weighted", self.weighted_average()),
        ]
    }

    /// Returns the average over all outputs. Each output is one hit or one miss for either class, so all
    /// three are the accuracy.
    pub fn micro_average(&self) -> Quality {
        let accuracy = self.accuracy();
        Quality { precision: accuracy, recall: accuracy, f1: accuracy, support: self.total() }
    }
}

/// The largest width of a column: longer names are truncated in the header, but complete in the rows.
const WIDEST: usize = 8;

/// Formats the matrix of the classes that are present (rows: true class, columns: predicted class), then a
/// row of scores per class and the averages.
impl fmt::Display for Confusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let present = self.present();
        let labels: Vec<String> = present.iter().map(|&class| self.label(class)).collect();
        let longest = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        let (first, width) =
            (longest.max(12), longest.min(WIDEST).max(self.total().to_string().len()).max(3));
        writeln!(f, "confusion matrix (rows: true class, columns: predicted class)")?;
        write!(f, "{:>first$}", "")?;
        labels.iter().try_for_each(|label| write!(f, " {label:>width$.width$}"))?;
        for (&actual, label) in present.iter().zip(&labels) {
            write!(f, "\n{label:>first$}")?;
            let mut row = present.iter().map(|&predicted| self.get(actual, predicted));
            row.try_for_each(|count| write!(f, " {count:>width$}"))?;
        }
        writeln!(f, "\n\n{:>first$} precision    recall        F1   support", "class")?;
        let rows = labels.into_iter().zip(present.iter().map(|&class| self.class(class)));
        let averages = self.averages().map(|(name, quality)| (name.to_owned(), quality));
        for (name, Quality { precision, recall, f1, support }) in rows.chain(averages) {
            writeln!(f, "{name:>first$} {precision:>9.4} {recall:>9.4} {f1:>9.4} {support:>9}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns true classes 0 0 1 1 2 2, predicted as 0 1 1 1 0 4; class 3 does not occur and 4 is only
    /// predicted.
    fn confusion() -> Confusion {
        let mut confusion = Confusion::default();
        let outputs = [(0, 0), (0, 1), (1, 1), (1, 1), (2, 0), (2, 4)];
        outputs.into_iter().for_each(|(actual, predicted)| confusion.count(actual, predicted));
        confusion
    }

    #[test]
    fn classes_are_as_counted_by_hand() {
        let c = confusion();
        assert_eq!(c.class(0), Quality { precision: 0.5, recall: 0.5, f1: 0.5, support: 2 });
        assert_eq!(c.class(1), Quality { precision: 2.0 / 3.0, recall: 1.0, f1: 0.8, support: 2 });
        assert_eq!(c.class(2), Quality { precision: 0.0, recall: 0.0, f1: 0.0, support: 2 });
        assert_eq!(c.class(4), Quality { precision: 0.0, recall: 0.0, f1: 0.0, support: 0 });
    }

    #[test]
    fn averages_are_as_counted_by_hand() {
        let c = confusion();
        assert_eq!(c.present(), [0, 1, 2, 4]);
        assert!((c.macro_average().f1 - (0.5 + 0.8) / 4.0).abs() < 1e-15);
        assert!((c.macro_average().precision - (0.5 + 2.0 / 3.0) / 4.0).abs() < 1e-15);
        assert!((c.macro_average().recall - 1.5 / 4.0).abs() < 1e-15);
        assert_eq!((c.accuracy(), c.micro_average().f1), (0.5, 0.5));
    }

    #[test]
    fn nothing_counted_is_no_division_by_zero() {
        let c = Confusion::default();
        assert_eq!((c.accuracy(), c.macro_average().f1, c.present().len()), (0.0, 0.0, 0));
    }

    #[test]
    fn classes_go_by_their_names_and_others_by_number() {
        let mut c = Confusion::new(vec!["yes".into(), "certainly not".into()]);
        [(0, 0), (1, 0), (1, 2)].into_iter().for_each(|(actual, predicted)| c.count(actual, predicted));
        let table = c.to_string();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[1], "                   yes certainl        2");
        assert_eq!(lines[3], "certainly not        1        0        1");
        assert!(lines.iter().any(|line| line.starts_with("            2    0.0000")));
        assert_eq!(Confusion::new(vec!["\u{1b}[2J".into()]).label(0), "\\u{1b}[2J");
    }
}
