//! The input of a model at a time step, and the check of sequences against it.

use anyhow::{Result, bail, ensure};

use super::Sequences;

/// The input of a model at a time step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// A number of values.
    Features(usize),
    /// An id from 0 on, below this number: the input of an Embedding.
    Ids(usize),
}

impl InputKind {
    /// Returns the number of values per time step.
    pub fn features(self) -> usize {
        match self {
            Self::Features(features) => features,
            Self::Ids(_) => 1,
        }
    }
}

impl Sequences {
    /// Rejects sequences whose frames the model does not accept.
    pub fn check(&self, input_kind: InputKind) -> Result<()> {
        let features = self.features;
        match input_kind {
            InputKind::Features(expected) => {
                ensure!(
                    features == expected,
                    "{features} features per frame, but the model expects {expected}"
                );
            }
            InputKind::Ids(ids) => {
                ensure!(features == 1, "{features} features per frame, but an Embedding expects one id");
                let known = |id: f32| id.fract() == 0.0 && (0.0..ids as f32).contains(&id);
                if let Some((s, t, id)) = self.find(|id| !known(id)) {
                    let last = ids.saturating_sub(1);
                    bail!("{id} at step {t} of sequence {s} is not an id: the Embedding has 0 to {last}");
                }
            }
        }
        Ok(())
    }

    /// Returns the first value for which `is` holds, with the index of its sequence and, for frames of one
    /// value, its step there.
    pub fn find(&self, is: impl Fn(f32) -> bool) -> Option<(usize, usize, f32)> {
        (0..self.len()).find_map(|s| {
            let own = self.get(s);
            own.iter().position(|&value| is(value)).map(|t| (s, t, own[t]))
        })
    }
}
