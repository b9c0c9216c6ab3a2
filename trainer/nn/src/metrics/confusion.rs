//! How good a classifier is, counted from its confusion matrix.
//!
//! As in scikit-learn: the macro average is over the labels that occur among the right answers or the given ones, and
//! a quotient over nothing counts as 0.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How often each class was taken for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    /// By the right class and the given one; only pairs that occur, as there may be many classes.
    counts: BTreeMap<(usize, usize), u64>,
    /// What the classes are called; those without a name by their number.
    labels: Vec<String>,
}

/// How good a classifier is at one class, or on average.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    /// Of those given this class, the share that was right.
    pub precision: f64,
    /// Of those of this class, the share that was found.
    pub recall: f64,
    /// The harmonic mean of the two.
    pub f1: f64,
    /// How many there are of this class.
    pub support: u64,
}

fn quotient(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl Confusion {
    /// For classes of these names, with nothing counted yet.
    pub fn new(labels: Vec<String>) -> Self {
        Self { counts: BTreeMap::new(), labels }
    }

    /// Counts one answer.
    pub fn count(&mut self, right: usize, given: usize) {
        *self.counts.entry((right, given)).or_default() += 1;
    }

    /// What a class is called. Names may be anybody's, so what would move a cursor is escaped.
    pub fn label(&self, class: usize) -> String {
        self.labels.get(class).map_or_else(|| class.to_string(), |label| label.escape_debug().to_string())
    }

    /// How often `right` was taken for `given`.
    pub fn get(&self, right: usize, given: usize) -> u64 {
        self.counts.get(&(right, given)).copied().unwrap_or(0)
    }

    /// How many answers were counted whose right and given class are as wanted.
    fn sum(&self, wanted: impl Fn(usize, usize) -> bool) -> u64 {
        self.counts.iter().filter(|&(&(right, given), _)| wanted(right, given)).map(|(_, n)| n).sum()
    }

    /// How many answers were counted.
    pub fn total(&self) -> u64 {
        self.sum(|_, _| true)
    }

    /// How many there are of a class.
    pub fn support(&self, class: usize) -> u64 {
        self.sum(|right, _| right == class)
    }

    /// How often a class was given.
    fn given(&self, class: usize) -> u64 {
        self.sum(|_, given| given == class)
    }

    /// The share of right answers; also precision, recall and F1 averaged over answers (micro).
    pub fn accuracy(&self) -> f64 {
        quotient(self.sum(|right, given| right == given), self.total())
    }

    /// The classes that occur among the right answers or the given ones.
    pub fn present(&self) -> Vec<usize> {
        let classes: BTreeSet<usize> =
            self.counts.keys().flat_map(|&(right, given)| [right, given]).collect();
        classes.into_iter().collect()
    }

    /// How good it is at one class.
    pub fn class(&self, class: usize) -> Quality {
        let (hits, support, given) = (self.get(class, class), self.support(class), self.given(class));
        Quality {
            precision: quotient(hits, given),
            recall: quotient(hits, support),
            f1: quotient(2 * hits, support + given),
            support,
        }
    }

    /// The plain average over the classes that are present.
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

    /// The average over answers. Every answer is one hit or one miss on either side, so all three are the accuracy.
    pub fn micro_average(&self) -> Quality {
        let accuracy = self.accuracy();
        Quality { precision: accuracy, recall: accuracy, f1: accuracy, support: self.total() }
    }
}

/// Columns are no wider than this: longer names are cut off at their heads, but stand in full at the rows.
const WIDEST: usize = 8;

/// The matrix of the classes that are present (rows: right, columns: given), then a line for each and the averages.
impl fmt::Display for Confusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let present = self.present();
        let labels: Vec<String> = present.iter().map(|&class| self.label(class)).collect();
        let longest = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        let (first, width) =
            (longest.max(12), longest.min(WIDEST).max(self.total().to_string().len()).max(3));
        writeln!(f, "confusion matrix (rows: right, columns: given)")?;
        write!(f, "{:>first$}", "")?;
        labels.iter().try_for_each(|label| write!(f, " {label:>width$.width$}"))?;
        for (&right, label) in present.iter().zip(&labels) {
            write!(f, "\n{label:>first$}")?;
            present.iter().try_for_each(|&given| write!(f, " {:>width$}", self.get(right, given)))?;
        }
        writeln!(f, "\n\n{:>first$} precision    recall        F1   support", "class")?;
        let rows = labels.into_iter().zip(present.iter().map(|&class| self.class(class)));
        let averages =
            [("macro".to_owned(), self.macro_average()), ("micro".to_owned(), self.micro_average())];
        for (name, Quality { precision, recall, f1, support }) in rows.chain(averages) {
            writeln!(f, "{name:>first$} {precision:>9.4} {recall:>9.4} {f1:>9.4} {support:>9}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Right 0 0 1 1 2 2, given 0 1 1 1 0 4, of classes of which 3 is nowhere and 4 only given.
    fn confusion() -> Confusion {
        let mut confusion = Confusion::default();
        let answers = [(0, 0), (0, 1), (1, 1), (1, 1), (2, 0), (2, 4)];
        answers.into_iter().for_each(|(right, given)| confusion.count(right, given));
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
        [(0, 0), (1, 0), (1, 2)].into_iter().for_each(|(right, given)| c.count(right, given));
        let table = c.to_string();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[1], "                   yes certainl        2");
        assert_eq!(lines[3], "certainly not        1        0        1");
        assert!(lines.iter().any(|line| line.starts_with("            2    0.0000")));
        assert_eq!(Confusion::new(vec!["\u{1b}[2J".into()]).label(0), "\\u{1b}[2J");
    }
}
