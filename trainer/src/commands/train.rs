//! `ernn train`: from a config and its data to a packed model.

use std::path::PathBuf;

/// Train a network, report on it, and write it as f32 and 8-bit models
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  ernn train trainer/examples/digits/digits.toml --out out/digits --seed 1 --resume"
)]
pub struct Args {
    /// What to train, on which data, and how
    pub config: PathBuf,
    /// Where the results go [default: out/NAME, with the name that the config gives]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Everything random follows from this number
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Go on where a run that was stopped had got to
    #[arg(long)]
    pub resume: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<()> {
    anyhow::bail!("{}: train is not there yet", args.config.display())
}
