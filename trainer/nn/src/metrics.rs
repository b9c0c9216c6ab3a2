//! Metrics counted from predictions.

mod confusion;
mod ranking;
mod residuals;
mod transcripts;

pub use confusion::{Confusion, Quality};
pub use ranking::{ClassScores, Ranking, TOP};
pub use residuals::Residuals;
pub use transcripts::Transcripts;
