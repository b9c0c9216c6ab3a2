//! The content of a model file, whatever its format.

use serde_json::Value;

use super::version::KerasVersion;
use super::weight_store::WeightStore;

/// The config and the weights of a model.
pub struct ModelSource {
    /// The version of Keras that wrote the file.
    pub version: KerasVersion,
    /// The config tree.
    pub config: Value,
    /// The weights.
    pub weights: WeightStore,
    /// The part of the file with the weights, for error messages.
    pub place: &'static str,
}
