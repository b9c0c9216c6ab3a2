//! Quantization errors that are larger than a user accepts.

use super::classes::ClassChanges;
use super::errors::{LayerError, Quantized};

/// The share of a layer's range from which on its root mean square error is a warning, and the share of the
/// outputs from which on other classes are.
pub const LARGE_ERROR: f64 = 0.05;

impl Quantized {
    /// Returns a line for each layer whose root mean square error is over the share `most` of its range, or
    /// is NaN, and one for a classifier if a larger share of its outputs stands for another class.
    pub fn excesses(&self, most: f64) -> impl Iterator<Item = String> {
        let of_layers = self.errors.iter().filter_map(move |error| error.excess(most));
        of_layers.chain(self.classes.and_then(|classes| classes.excess(most)))
    }
}

impl LayerError {
    fn excess(&self, most: f64) -> Option<String> {
        let share = if self.rms > 0.0 { self.rms / self.range } else { self.rms };
        // NaN is at most nothing.
        let is_accepted = share <= most;
        (!is_accepted)
            .then(|| format!("{}: the rms error is {share:.4} of the range, over {most}", self.name))
    }
}

impl ClassChanges {
    fn excess(self, most: f64) -> Option<String> {
        (self.share() > most).then(|| format!("{self}, over {most} of them"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rms: f64, range: f64, classes: Option<ClassChanges>) -> Vec<String> {
        let errors = vec![LayerError { name: "lstm".to_owned(), worst: rms, rms, range }];
        Quantized { bytes: Vec::new(), errors, classes }.excesses(LARGE_ERROR).collect()
    }

    #[test]
    fn another_class_in_over_a_share_of_the_outputs_is_rejected() {
        let classes = |changed| Some(ClassChanges { changed, outputs: 100 });
        for accepted in [None, classes(0), classes(5)] {
            assert_eq!(found(0.0, 1.0, accepted), [""; 0]);
        }
        assert_eq!(
            found(0.0, 1.0, classes(6)),
            ["the class differs from that of the f32 model in 6 of 100 outputs, over 0.05 of them"]
        );
    }

    #[test]
    fn errors_over_a_share_of_the_range_are_rejected() {
        for (rms, range) in [(0.0, 0.0), (0.0, 1.0), (0.1, 2.0)] {
            assert_eq!(found(rms, range, None), [""; 0]);
        }
        for (rms, range, share) in [(0.1, 1.0, "0.1000"), (0.1, 0.0, "inf"), (f64::NAN, 1.0, "NaN")] {
            assert_eq!(
                found(rms, range, None),
                [format!("lstm: the rms error is {share} of the range, over 0.05")]
            );
        }
    }
}
