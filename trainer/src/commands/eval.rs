//! `ernn eval`: evaluates a model on labeled data.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

use embedded_rnn_nn::config::Config;
use embedded_rnn_nn::data::{Data, Dataset, Series};
use embedded_rnn_nn::evaluate::{Criteria, Evaluation};
use embedded_rnn_nn::forecast::{Comparison, Forecast};
use embedded_rnn_nn::loss::{Objective, THRESHOLD};
use embedded_rnn_nn::metrics::{Confusion, Quality};
use embedded_rnn_pack::session::Session;

const HELP: &str = "\
A data set is a file in any format of docs/training.md, such as an .npz file with these arrays, of
which x may be named x_test or x_train, and so on:
  x      [n, time, features], or [n, time] of ids
  len    [n], the lengths of padded sequences (optional)
  y      [n] of classes or [n, outputs] of values; for a model that returns sequences, [n, time] or
         [n, time, outputs]; for an encoder-decoder, [n, time] of classes
  len_y  [n], the lengths of the sequences in y (encoder-decoder only)
  sample_weight  [n], the weights in the loss (optional)

Examples:
  ernn eval out/digits/model.i8.ernn --data trainer/examples/digits/digits.npz
  ernn eval out/us-home-prices/model.ernn --data trainer/examples/home_prices/us.toml";

/// Evaluate a model on labeled data: loss, metrics, confusion matrix, precision, recall and F1
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Model file (f32, f16 or i8)
    pub model: PathBuf,
    /// Data set, of which the test part is used if there is one, or a config (.toml), whose loss and
    /// data are used
    #[arg(long, value_name = "DATA")]
    pub data: PathBuf,
    /// Probability above which the output of a detector, a single one, stands for class 1 [default: 0.5]
    #[arg(long, value_name = "P", value_parser = probability, allow_negative_numbers = true)]
    pub threshold: Option<f64>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Parses a threshold.
pub fn probability(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}

/// The data to evaluate on, with what a config adds.
struct Labeled {
    data: Dataset,
    /// The naive forecasts to compare a forecast with.
    forecast: Option<Forecast>,
    /// The loss of the config.
    objective: Option<Objective>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let model = Session::read(&args.model)?;
    let place = || args.data.display().to_string();
    let Labeled { data, forecast, objective } = read(&args.data, &model.labels())?;
    super::warn_of_spacing(forecast.as_ref(), &args.data);
    let criteria = Criteria { objective, threshold: args.threshold.unwrap_or(THRESHOLD) };
    let evaluation = model.evaluate(&data, &criteria).with_context(place)?;
    ensure!(
        args.threshold.is_none() || evaluation.ranking.is_some(),
        "{}: --threshold: the model is no detector, with a single output and classes as targets",
        args.model.display()
    );
    let comparison = forecast.map(|forecast| Comparison::of(&forecast, [("model", &evaluation)].into_iter()));
    if args.json {
        let object = object(args, &model, &data, &evaluation, comparison.as_ref());
        super::print_line(&serde_json::to_string_pretty(&object)?)?;
    } else {
        super::print_line(evaluation.to_string().trim_end())?;
    }
    if let Some(complaint) = evaluation.non_finite.complaint() {
        super::warn(&format!("{}: {complaint}", args.model.display()));
    }
    match comparison {
        Some(comparison) if !args.json => super::print_line(&comparison.to_string()),
        _ => Ok(()),
    }
}

/// Returns all scores as an object. A score that is not a number is null.
fn object(
    args: &Args,
    model: &Session,
    data: &Dataset,
    evaluation: &Evaluation,
    comparison: Option<&Comparison>,
) -> Value {
    let scores = evaluation.scores().into_iter().chain(evaluation.details());
    let scores: Map<_, _> = scores.map(|(name, value)| (key(name), json!(value))).collect();
    let mut object = json!({
        "model": args.model, "dtype": model.dtype().name(), "data": args.data,
        "sequences": data.sequences.len(), "targets": evaluation.score.columns,
        "loss": evaluation.loss.name(), "scores": scores, "not_finite": evaluation.non_finite.found,
    });
    if evaluation.ranking.is_some() {
        object["threshold"] = json!(args.threshold.unwrap_or(THRESHOLD));
    }
    if let Some(confusion) = &evaluation.confusion {
        classes(&mut object, confusion);
    }
    if let Some(comparison) = comparison {
        let errors = comparison
            .rows()
            .map(|(name, errors)| (key(name), json!({ "mae": errors.mae, "rmse": errors.rmse })));
        object["forecast"] = Value::Object(errors.collect());
    }
    object
}

/// Adds the confusion matrix, and the quality of each class and on average.
fn classes(object: &mut Value, confusion: &Confusion) {
    let quality = |quality: Quality| {
        let Quality { precision, recall, f1, support } = quality;
        json!({ "precision": precision, "recall": recall, "f1": f1, "support": support })
    };
    let present = confusion.present();
    let row = |&actual: &usize| -> Vec<u64> {
        present.iter().map(|&predicted| confusion.get(actual, predicted)).collect()
    };
    let labels: Vec<String> = present.iter().map(|&class| confusion.label(class)).collect();
    let each = labels.iter().zip(&present).map(|(label, &class)| {
        let mut object = quality(confusion.class(class));
        object["class"] = json!(label);
        object
    });
    object["classes"] = each.collect();
    object["confusion"] = present.iter().map(row).collect();
    let averages = confusion.averages().map(|(name, average)| (name.to_owned(), quality(average)));
    object["averages"] = Value::Object(averages.into_iter().collect());
}

/// Returns the name of a score as a key.
fn key(name: &str) -> String {
    name.to_lowercase().replace([' ', '-'], "_")
}

/// Reads the data to evaluate on.
fn read(path: &Path, classes: &[String]) -> Result<Labeled> {
    match path.extension().and_then(OsStr::to_str) {
        Some("csv") if Series::is_series(path)? => {
            bail!("{}: a config splits the series: use the model's .toml file instead", path.display())
        }
        Some("toml") => {
            let config = Config::read(path)?;
            let (Data { train, test, .. }, forecast) = config.read_data(path)?;
            let data = forecast.as_ref().map(|forecast| forecast.test.clone());
            let data = data.or(test).unwrap_or(train);
            Ok(Labeled { data, forecast, objective: Some(config.training.objective()) })
        }
        _ => Ok(Labeled { data: Dataset::read_test(path, classes)?, forecast: None, objective: None }),
    }
}
