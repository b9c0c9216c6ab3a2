//! Sequences without targets, from `.npy` files, batch first.

use std::path::Path;

use anyhow::{Context, Result};

use super::{InputKind, Sequences, lengths, padded, read_npy};

/// Sequences to run a model over.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// The frames that count.
    pub sequences: Sequences,
    /// Steps that the array has for each sequence, padding included; `None` if its frames stand one after another.
    pub time: Option<usize>,
}

impl Input {
    /// Reads what [`Sequences::from_arrays`] takes, for a model that takes this.
    pub fn read(x: &Path, steps: Option<&Path>, input_kind: InputKind) -> Result<Self> {
        let steps = match steps {
            Some(path) => Some(
                read_npy(path)
                    .and_then(|array| lengths(array).with_context(|| path.display().to_string()))?,
            ),
            None => None,
        };
        let place = || x.display().to_string();
        let mut array = read_npy(x)?;
        // Rows of sequences of one step each could be frames as well, but not for a model that takes one value.
        let as_many = |steps: &Vec<usize>| array.shape.len() == 2 && array.shape[0] == steps.len();
        if input_kind.features() == 1 && steps.as_ref().is_some_and(as_many) {
            array.shape.push(1);
        }
        let array = padded(array, steps.as_deref());
        let time = (array.shape.len() == 3).then(|| array.shape[1]);
        let sequences = Sequences::with_steps(array, steps).with_context(place)?;
        sequences.check(input_kind).with_context(place)?;
        Ok(Self { sequences, time })
    }
}
