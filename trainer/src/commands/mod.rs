//! One file a command: its arguments, and what it does with them.

pub mod eval;
pub mod generate;
pub mod import;
pub mod inspect;
pub mod predict;
pub mod quantize;
pub mod train;

use std::io::Write;

use clap::builder::RangedI64ValueParser;

/// The most that a model writes for a sequence, if nothing else is asked for.
const STEPS: u32 = 64;

/// How many steps a model may be asked to write.
fn steps() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=1 << 20)
}

/// Prints a line; that nobody listens any more is an error, not a panic.
pub fn say(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    Ok(writeln!(out, "{line}").and_then(|()| out.flush())?)
}
