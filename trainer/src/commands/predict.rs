//! `ernn predict`: what a model answers to an array of sequences.

use std::path::PathBuf;

/// Run a model over an array of sequences
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  ernn predict out/digits/model.ernn --input x.npy --output y.npy --stream"
)]
pub struct Args {
    /// The model, f32 or 8-bit
    pub model: PathBuf,
    /// Inputs, `[n, time, features]`
    #[arg(long, value_name = "X.npy")]
    pub input: PathBuf,
    /// Where to write the outputs, `[n, out]` or `[n, time, out]`
    #[arg(long, value_name = "Y.npy")]
    pub output: PathBuf,
    /// Go one step a call, as a device does
    #[arg(long)]
    pub stream: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<()> {
    anyhow::bail!("{}: predict is not there yet", args.model.display())
}
