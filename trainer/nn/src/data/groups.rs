//! The groups of sequences: those of one speaker or one recording, for example.

use anyhow::{Result, bail, ensure};

use super::{Array, Dataset, Values};

impl Dataset {
    /// Sets the groups of the sequences from `[n]` of integers.
    ///
    /// # Errors
    /// Another shape, or floats.
    pub fn with_groups(self, groups: Array) -> Result<Self> {
        let n = self.sequences.len();
        ensure!(groups.shape == [n], "its shape is {:?}, but there are {n} sequences", groups.shape);
        let Values::Integers(groups) = groups.values else { bail!("the groups are not integers") };
        Ok(Self { groups: Some(groups), ..self })
    }
}
