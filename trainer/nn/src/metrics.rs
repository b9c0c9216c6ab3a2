//! How good answers are, counted.

mod confusion;
mod transcripts;

pub use confusion::{Confusion, Quality};
pub use transcripts::Transcripts;
