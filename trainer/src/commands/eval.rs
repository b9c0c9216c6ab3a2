//! `ernn eval`: evaluates a model on labeled data.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use embedded_rnn_nn::config::Config;
use embedded_rnn_nn::data::{Data, Dataset};
use embedded_rnn_nn::forecast::{Comparison, Forecast};
use embedded_rnn_nn::loss::Objective;
use embedded_rnn_pack::session::Session;

const HELP: &str = "\
A data set is an .npz file with these arrays, of which x may be named x_test or x_train, and so on:
  x      [n, time, features], or [n, time] of ids
  len    [n], the lengths of padded sequences (optional)
  y      [n] of classes or [n, outputs] of values; for a model that returns sequences, [n, time] or
         [n, time, outputs]; for an encoder-decoder, [n, time] of classes
  len_y  [n], the lengths of the sequences in y (encoder-decoder only)

Examples:
  ernn eval out/digits/model.i8.ernn --data trainer/examples/digits/digits.npz
  ernn eval out/us-home-prices/model.ernn --data trainer/examples/home_prices/us.toml";

/// Evaluate a model on labeled data: loss, metric, confusion matrix, precision, recall and F1
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Model file (f32, f16 or i8)
    pub model: PathBuf,
    /// Data set (.npz), of which the test part is used if there is one, or the config of a forecast (.toml)
    #[arg(long, value_name = "DATA")]
    pub data: PathBuf,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let model = Session::read(&args.model)?;
    let (data, forecast, objective) = read(&args.data)?;
    super::warn_of_spacing(forecast.as_ref(), &args.data);
    let evaluation = model.evaluate(&data, objective).with_context(|| args.data.display().to_string())?;
    super::print_line(evaluation.to_string().trim_end())?;
    if let Some(complaint) = evaluation.non_finite.complaint() {
        super::warn(&format!("{}: {complaint}", args.model.display()));
    }
    let Some(forecast) = forecast else { return Ok(()) };
    super::print_line(&Comparison::of(&forecast, [("model", &evaluation)].into_iter()).to_string())
}

/// Reads the data to evaluate on, the naive forecasts to compare a forecast with, and the loss of a config.
fn read(path: &Path) -> Result<(Dataset, Option<Forecast>, Option<Objective>)> {
    match path.extension().and_then(OsStr::to_str) {
        Some("csv") => {
            bail!("{}: a config splits the series: use the model's .toml file instead", path.display())
        }
        Some("toml") => {
            let config = Config::read(path)?;
            let (Data { train, test, .. }, forecast) = config.read_data(path)?;
            let data = forecast.as_ref().map(|forecast| forecast.test.clone());
            Ok((data.or(test).unwrap_or(train), forecast, Some(config.training.objective())))
        }
        _ => Ok((Dataset::read_test(path)?, None, None)),
    }
}
