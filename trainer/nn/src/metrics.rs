//! Metrics counted from predictions.

mod confusion;
mod transcripts;

pub use confusion::{Confusion, Quality};
pub use transcripts::Transcripts;
