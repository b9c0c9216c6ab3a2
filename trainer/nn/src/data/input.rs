//! Sequences without targets, from `.npy` files, batch first.

use std::path::Path;

use anyhow::{Context, Result};

use super::{InputKind, Sequences, lengths, padded, read_npy};

/// Sequences to run a model on.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// The frames, without masked ones.
    pub sequences: Sequences,
    /// The steps per sequence in the array, padding included; `None` if its frames are stored one after
    /// another.
    pub time: Option<usize>,
}

impl Input {
    /// Reads the arrays that [`Sequences::from_arrays`] reads, for a model with this input.
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
        // Rows of sequences of one step each could also be frames, but not for a model with one value per
        // frame.
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
