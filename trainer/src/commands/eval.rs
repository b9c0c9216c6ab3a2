//! `ernn eval`: how well a model does on labelled data.

use std::path::PathBuf;

/// Print loss, accuracy, confusion matrix, precision, recall and F1 of a model on a data set
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  ernn eval out/digits/model.i8.ernn --data trainer/examples/digits/digits.npz"
)]
pub struct Args {
    /// The model, f32 or 8-bit
    pub model: PathBuf,
    /// Labelled sequences: the test part of an .npz with one, else all of it
    #[arg(long, value_name = "DATA")]
    pub data: PathBuf,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<()> {
    anyhow::bail!("{}: eval is not there yet", args.model.display())
}
