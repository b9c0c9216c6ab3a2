//! One file a command: its arguments, and what it does with them.

pub mod eval;
pub mod inspect;
pub mod predict;
pub mod quantize;
pub mod train;

use std::io::Write;

/// Prints a line; that nobody listens any more is an error, not a panic.
pub fn say(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    Ok(writeln!(out, "{line}").and_then(|()| out.flush())?)
}

/// An error with its causes, outermost first, on one line: `FILE: PLACE: REASON`.
pub fn one_line(error: &anyhow::Error) -> String {
    let whole = format!("{error:#}");
    whole.split('\n').map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
