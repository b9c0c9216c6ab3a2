//! The commands of `ernn`, one file per command: its arguments and its work.

pub mod eval;
pub mod generate;
pub mod header;
pub mod import;
pub mod init;
pub mod inspect;
pub mod overwrite;
pub mod predict;
pub mod quantize;
pub mod train;

use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::Context;
use clap::builder::RangedI64ValueParser;
use embedded_rnn_nn::forecast::Forecast;
use embedded_rnn_nn::output::one_line;

/// Default of `--steps`, the limit of the classes that a model generates per sequence.
const DEFAULT_STEPS: u32 = 64;

/// Returns the parser of `--steps`, 1 to 2^20.
fn steps_parser() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=1 << 20)
}

/// Prints a line on stderr that begins with `warning:`.
pub fn warn(reason: &str) {
    let line = one_line(&anyhow::Error::msg(reason.to_owned()));
    // A failure to print cannot be reported anywhere.
    _ = writeln!(std::io::stderr(), "warning: {line}");
}

/// Warns if the dates of a series, which is in `file`, are spaced unequally.
fn warn_of_spacing(forecast: Option<&Forecast>, file: &Path) {
    if let Some(reason) = forecast.and_then(|forecast| forecast.unequal.as_deref()) {
        warn(&format!("{}: {reason}", file.display()));
    }
}

/// Prints a line. Without a reader (`| head`), the work goes on: it may write files.
pub fn print_line(line: &str) -> anyhow::Result<()> {
    print_for_reader(line).map(drop)
}

/// Prints a line, and returns whether there is still a reader.
fn print_for_reader(line: &str) -> anyhow::Result<bool> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        printed => printed.map(|()| true).context("stdout"),
    }
}
