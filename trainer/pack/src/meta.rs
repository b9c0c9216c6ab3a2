//! Names and labels in a model file.

use std::collections::BTreeMap;

/// The names and labels of a model file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// The model's name.
    pub name: String,
    /// The origin of each imported layer, by the name of the layer: an i8 model may have more layers than its
    /// network, so that an index is no key.
    pub origins: BTreeMap<String, String>,
    /// Names of the classes in order; may be empty.
    pub labels: Vec<String>,
}

impl Meta {
    /// Returns the origin of a layer; empty if it was trained here. A part `NAME/PART` of a layer (a
    /// direction of a Bidirectional, or a separate activation of an i8 model) has the origin of the layer.
    pub(crate) fn origin(&self, layer: &str) -> &str {
        let whole = || layer.rsplit_once('/').and_then(|(whole, _)| self.origins.get(whole));
        self.origins.get(layer).or_else(whole).map_or("", String::as_str)
    }
}
