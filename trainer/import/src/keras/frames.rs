//! The data between two layers.

use super::inbound::MaskSource;
use super::version::KerasVersion;

/// The output of the layers so far, as the next layer reads it.
pub struct FrameInfo {
    /// The version of Keras, on which the meaning of some options depends.
    pub version: KerasVersion,
    /// The number of features per frame.
    pub features: usize,
    /// Whether there is a time axis.
    pub has_time: bool,
    /// The mask of the frames, if there is one.
    pub mask: Option<MaskSource>,
}
