//! The data between two layers.

use anyhow::{Result, ensure};

use super::inbound::MaskSource;
use super::shapes::Axes;
use super::version::KerasVersion;

/// The output of the layers so far, as the next layer reads it.
pub struct FrameInfo {
    /// The version of Keras, on which the meaning of some options depends.
    pub version: KerasVersion,
    /// The number of features per frame.
    pub features: usize,
    /// Whether there is a time axis.
    pub has_time: bool,
    /// The number of time steps, where it is fixed.
    pub steps: Option<usize>,
    /// Whether they are the input of the model.
    pub is_input: bool,
    /// The mask of the frames, if there is one.
    pub mask: Option<MaskSource>,
}

impl FrameInfo {
    /// Returns the lengths of the axes after that of the batch.
    pub fn axes(&self) -> Axes {
        let features = Some(self.features);
        if self.has_time { vec![self.steps, features] } else { vec![features] }
    }

    /// Checks that no mask goes through a layer that drops it in some versions of Keras.
    ///
    /// # Errors
    /// A mask.
    pub fn check_unmasked(&self, class: &str) -> Result<()> {
        ensure!(
            self.mask.is_none(),
            "class_name {class}: not supported after a mask, which not all versions of Keras pass on"
        );
        Ok(())
    }
}
