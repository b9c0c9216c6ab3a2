//! `ernn inspect`: what a model holds and costs.

use std::path::PathBuf;

use anyhow::Result;

use embedded_rnn_pack::session::Session;
use embedded_rnn_pack::summary::Summary;

/// Print layers, shapes, options, parameters, flash and RAM bytes, and MACs per step
#[derive(clap::Args)]
#[command(
    after_help = "Parameters are counted as in a layer with biases: one without has zeros in their places. What was folded into \
                  other layers is not there to be counted.\n\n\
                  Example:\n  ernn inspect out/digits/model.i8.ernn --json"
)]
pub struct Args {
    /// The model, f32 or 8-bit
    pub model: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let summary = Summary::of(&Session::read(&args.model)?);
    if args.json {
        super::say(&serde_json::to_string_pretty(&summary)?)
    } else {
        super::say(&summary.to_string())
    }
}
