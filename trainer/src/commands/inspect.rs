//! `ernn inspect`: prints the layers, sizes and costs of a model.

use std::path::PathBuf;

use anyhow::Result;

use embedded_rnn_pack::session::Session;
use embedded_rnn_pack::summary::Summary;

const HELP: &str = "\
Parameters are counted as in Keras, but always with biases: the file stores zeros for a layer
without. Parameters that were folded into other layers are not counted. MACs are multiply-accumulates.
The self-test replays the golden trace of the file on this machine.

Example:
  ernn inspect out/digits/model.i8.ernn --json";

/// Print the layers, shapes, options, parameters, flash, RAM and MACs per time step of a model
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Model file (f32, f16 or i8)
    pub model: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let summary = Summary::of(&Session::read(&args.model)?);
    if args.json {
        super::print_line(&serde_json::to_string_pretty(&summary)?)
    } else {
        super::print_line(&summary.to_string())
    }
}
