//! `ernn quantize`: from f32 weights to 8-bit ones.

use std::path::PathBuf;

/// Turn an f32 model into an 8-bit one and print the error that caused, layer by layer
#[derive(clap::Args)]
#[command(after_help = "Example:\n  ernn quantize out/digits/model.ernn --calibrate x.npy -o digits.i8.ernn")]
pub struct Args {
    /// The f32 model
    pub model: PathBuf,
    /// Inputs as they will be met, `[n, time, features]`
    #[arg(long, value_name = "X.npy")]
    pub calibrate: PathBuf,
    /// Where to write the 8-bit model
    #[arg(short, long, value_name = "OUT.ernn")]
    pub output: PathBuf,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<()> {
    anyhow::bail!("{}: quantize is not there yet", args.model.display())
}
