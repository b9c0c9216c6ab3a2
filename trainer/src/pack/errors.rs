//! What quantization did to each layer.

use std::fmt;

/// How far a layer's output is from that of the float network.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerError {
    /// The layer's name.
    pub name: String,
    /// Largest difference.
    pub worst: f64,
    /// Root of the mean square difference.
    pub rms: f64,
    /// Largest magnitude of the float output, to compare with.
    pub range: f64,
}

/// The errors of all layers as a table for a terminal, a line for each.
pub struct ErrorTable<'a>(pub &'a [LayerError]);

impl fmt::Display for ErrorTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|error| error.name.chars().count()).max().unwrap_or(0).max(8);
        write!(f, "{:<width$} {:>10} {:>10} {:>10}", "layer", "worst", "rms", "range")?;
        self.0.iter().try_for_each(|LayerError { name, worst, rms, range }| {
            write!(f, "\n{name:<width$} {worst:>10.6} {rms:>10.6} {range:>10.4}")
        })
    }
}
