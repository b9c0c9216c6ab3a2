//! Sequences without targets, from `.npy` files, batch first.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::{Sequences, lengths, padded, read_npy};

/// Sequences to run a model over.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// The frames that count.
    pub sequences: Sequences,
    /// Steps that the array has for each sequence, padding included; `None` if its frames stand one after another.
    pub time: Option<usize>,
}

impl Input {
    /// Reads what [`Sequences::from_arrays`] takes, for a model that takes `features` values a step.
    pub fn read(x: &Path, steps: Option<&Path>, features: usize) -> Result<Self> {
        let steps = match steps {
            Some(path) => Some(
                read_npy(path)
                    .and_then(|array| lengths(array).with_context(|| path.display().to_string()))?,
            ),
            None => None,
        };
        let place = || x.display().to_string();
        let array = padded(read_npy(x)?, steps.as_deref());
        let time = (array.shape.len() == 3).then(|| array.shape[1]);
        let sequences = Sequences::with_steps(array, steps).with_context(place)?;
        sequences.check_features(features).with_context(place)?;
        Ok(Self { sequences, time })
    }
}

impl Sequences {
    /// Refuses other sequences than those of frames of `features` values, which a model takes.
    pub fn check_features(&self, features: usize) -> Result<()> {
        ensure!(
            self.features == features,
            "{} features a frame, but the model takes {features}",
            self.features
        );
        Ok(())
    }
}
