//! Names and labels in a model file.

use std::collections::BTreeMap;

/// The names and labels of a model file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// The model's name.
    pub name: String,
    /// The origin of each layer by its name; empty for layers trained here. An integer model may have more layers than its
    /// network, so that places do not do for keys.
    pub origins: BTreeMap<String, String>,
    /// Names of the classes; may be empty.
    pub labels: Vec<String>,
}

impl Meta {
    /// Returns the origin of a layer. A part of it, `NAME/PART`, has the same: a direction, or a function of its own in
    /// integers.
    pub(crate) fn origin(&self, layer: &str) -> &str {
        let whole = || layer.rsplit_once('/').and_then(|(whole, _)| self.origins.get(whole));
        self.origins.get(layer).or_else(whole).map_or("", String::as_str)
    }
}
