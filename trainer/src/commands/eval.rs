//! `ernn eval`: how well a model does on labelled data.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use embedded_rnn_nn::config::Config;
use embedded_rnn_nn::data::{Data, Dataset};
use embedded_rnn_nn::forecast::{Comparison, Forecast};
use embedded_rnn_pack::session::Session;

/// Print loss, accuracy, confusion matrix, precision, recall and F1 of a model on a data set
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  ernn eval out/digits/model.i8.ernn --data trainer/examples/digits/digits.npz"
)]
pub struct Args {
    /// The model, f32 or 8-bit
    pub model: PathBuf,
    /// Labelled sequences: the test part of an .npz with one, else all of it; of a series the config that cuts it, a .toml
    #[arg(long, value_name = "DATA")]
    pub data: PathBuf,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let model = Session::read(&args.model)?;
    let (data, forecast) = read(&args.data)?;
    let evaluation = model.evaluate(&data).with_context(|| args.data.display().to_string())?;
    super::say(evaluation.to_string().trim_end())?;
    let Some(forecast) = forecast else { return Ok(()) };
    super::say(&Comparison::of(&forecast, [("model", &evaluation)].into_iter()).to_string())
}

/// What to evaluate on, and what a forecast of it is judged by.
fn read(path: &Path) -> Result<(Dataset, Option<Forecast>)> {
    let (Data { train, test }, forecast) = match path.extension().and_then(OsStr::to_str) {
        Some("csv") => {
            bail!("{}: how to cut a series the model's config says: give that .toml", path.display())
        }
        Some("toml") => Config::read(path)?.read_data(path)?,
        _ => (Data::read(path)?, None),
    };
    let data = forecast.as_ref().map(|forecast| forecast.test.clone());
    Ok((data.or(test).unwrap_or(train), forecast))
}
