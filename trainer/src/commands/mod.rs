//! One file a command: its arguments, and what it does with them.

pub mod eval;
pub mod inspect;
pub mod predict;
pub mod quantize;
pub mod train;

/// An error with its causes, outermost first, on one line: `FILE: PLACE: REASON`.
pub fn one_line(error: &anyhow::Error) -> String {
    let whole = format!("{error:#}");
    whole.split('\n').map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
