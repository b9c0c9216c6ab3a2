//! `ernn inspect`: what a model holds and costs.

use std::path::PathBuf;

/// Print layers, shapes, parameters, flash and RAM bytes, and MACs per step
#[derive(clap::Args)]
#[command(after_help = "Example:\n  ernn inspect out/digits/model.i8.ernn --json")]
pub struct Args {
    /// The model, f32 or 8-bit
    pub model: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<()> {
    anyhow::bail!("{}: inspect is not there yet", args.model.display())
}
