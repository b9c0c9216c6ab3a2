//! The outputs of a model that are NaN or infinite.

use std::fmt;

/// The number of outputs that are not finite, among all that were counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NonFinite {
    /// The number of outputs that are NaN or infinite.
    pub found: usize,
    /// The number of all outputs.
    pub outputs: usize,
}

impl NonFinite {
    /// Counts the outputs that are not finite.
    pub fn of(outputs: &[f32]) -> Self {
        let found = outputs.iter().filter(|output| !output.is_finite()).count();
        Self { found, outputs: outputs.len() }
    }

    /// Returns the sum of two counts.
    pub fn plus(self, other: Self) -> Self {
        Self { found: self.found + other.found, outputs: self.outputs + other.outputs }
    }

    /// Returns the sentence for the user if there are outputs that are not finite.
    pub fn complaint(self) -> Option<String> {
        (self.found > 0).then(|| self.to_string())
    }
}

impl fmt::Display for NonFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} outputs are not finite", self.found, self.outputs)
    }
}
