//! The lines that a training prints on stdout, in the form that the user chose.

use anyhow::Result;
use serde_json::Value;

use crate::commands::print_line;

/// The form of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// Text for a reader.
    Text,
    /// No lines: warnings and errors alone appear, on stderr.
    Quiet,
    /// A JSON object per line, whose `event` names what the others describe.
    Json,
}

impl Lines {
    /// Prints a line of text, if lines are text.
    pub fn text(self, line: &str) -> Result<()> {
        if self == Self::Text { print_line(line) } else { Ok(()) }
    }

    /// Prints an object, if lines are JSON.
    pub fn object(self, object: &Value) -> Result<()> {
        if self == Self::Json { print_line(&object.to_string()) } else { Ok(()) }
    }
}
