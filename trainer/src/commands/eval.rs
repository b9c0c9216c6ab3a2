//! `ernn eval`: how well a model does on labelled data.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::data::Data;
use crate::deployed::ModelFile;

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
pub fn run(args: &Args) -> Result<()> {
    let file = ModelFile::read(&args.model)?;
    let model = file.deploy()?;
    let Data { train, test } = Data::read(&args.data)?;
    let data = test.unwrap_or(train);
    let evaluation = model.evaluate(&data).with_context(|| args.data.display().to_string())?;
    super::say(evaluation.to_string().trim_end())
}
