//! What a model takes at a time step, and whether sequences are made of that.

use anyhow::{Result, bail, ensure};

use super::Sequences;

/// What goes in at a time step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// So many values.
    Features(usize),
    /// An id from 0 on, one of so many: what an Embedding takes.
    Ids(usize),
}

impl InputKind {
    /// Values of a time step.
    pub fn features(self) -> usize {
        match self {
            Self::Features(features) => features,
            Self::Ids(_) => 1,
        }
    }
}

impl Sequences {
    /// Refuses other sequences than those of frames that a model takes.
    pub fn check(&self, input_kind: InputKind) -> Result<()> {
        let features = self.features;
        match input_kind {
            InputKind::Features(taken) => {
                ensure!(features == taken, "{features} features a frame, but the model takes {taken}");
            }
            InputKind::Ids(ids) => {
                ensure!(features == 1, "{features} features a frame, but an Embedding takes one id");
                let known = |id: f32| id.fract() == 0.0 && (0.0..ids as f32).contains(&id);
                if let Some((s, t, id)) = self.find(|id| !known(id)) {
                    let last = ids.saturating_sub(1);
                    bail!("{id} at step {t} of sequence {s} is no id: the Embedding has 0 to {last}");
                }
            }
        }
        Ok(())
    }

    /// The first value that is as wanted, after the numbers of its sequence and, of frames of one value, its step there.
    pub fn find(&self, wanted: impl Fn(f32) -> bool) -> Option<(usize, usize, f32)> {
        (0..self.len()).find_map(|s| {
            let own = self.get(s);
            own.iter().position(|&value| wanted(value)).map(|t| (s, t, own[t]))
        })
    }
}
