//! How good a classifier is, counted from its confusion matrix.
//!
//! As in scikit-learn: the macro average is over the labels that occur among the right answers or the given ones, and
//! a quotient over nothing counts as 0.

use std::fmt;

/// How often each class was taken for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    /// `counts[right * classes + given]`.
    counts: Vec<u64>,
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
    /// For so many classes, with nothing counted yet.
    pub fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0; classes * classes] }
    }

    /// Counts one answer.
    pub fn count(&mut self, right: usize, given: usize) {
        self.counts[right * self.classes + given] += 1;
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How often `right` was taken for `given`.
    pub fn get(&self, right: usize, given: usize) -> u64 {
        self.counts[right * self.classes + given]
    }

    /// How many answers were counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many there are of a class.
    pub fn support(&self, class: usize) -> u64 {
        (0..self.classes).map(|given| self.get(class, given)).sum()
    }

    /// How often a class was given.
    fn given(&self, class: usize) -> u64 {
        (0..self.classes).map(|right| self.get(right, class)).sum()
    }

    /// The share of right answers; also precision, recall and F1 averaged over answers (micro).
    pub fn accuracy(&self) -> f64 {
        let right = (0..self.classes).map(|class| self.get(class, class)).sum();
        quotient(right, self.total())
    }

    /// The classes that occur among the right answers or the given ones.
    pub fn present(&self) -> Vec<usize> {
        (0..self.classes).filter(|&class| self.support(class) + self.given(class) > 0).collect()
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

/// The matrix of the classes that are present (rows: right, columns: given), then a line for each and the averages.
impl fmt::Display for Confusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let present = self.present();
        let width = self.total().to_string().len().max(3) + 1;
        writeln!(f, "confusion matrix (rows: right, columns: given)")?;
        write!(f, "{:>12}", "")?;
        present.iter().try_for_each(|class| write!(f, "{class:>width$}"))?;
        for &right in &present {
            write!(f, "\n{right:>12}")?;
            present.iter().try_for_each(|&given| write!(f, "{:>width$}", self.get(right, given)))?;
        }
        writeln!(f, "\n\n{:>12} precision    recall        F1   support", "class")?;
        let rows = present.iter().map(|&class| (class.to_string(), self.class(class)));
        let averages =
            [("macro".to_owned(), self.macro_average()), ("micro".to_owned(), self.micro_average())];
        for (name, Quality { precision, recall, f1, support }) in rows.chain(averages) {
            writeln!(f, "{name:>12} {precision:>9.4} {recall:>9.4} {f1:>9.4} {support:>9}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Right 0 0 1 1 2 2, given 0 1 1 1 0 4, of five classes: 3 is nowhere, 4 only given.
    fn confusion() -> Confusion {
        let mut confusion = Confusion::new(5);
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
        let c = Confusion::new(3);
        assert_eq!((c.accuracy(), c.macro_average().f1, c.present().len()), (0.0, 0.0, 0));
    }
}
