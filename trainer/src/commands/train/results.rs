//! The results of a run: the model files, the history and the report.

use std::io;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::facts::facts;
use super::job::{Job, Spent};
use embedded_rnn::F32;

use super::lines::Lines;
use crate::commands::print_line;
use crate::commands::quantize::{print_errors, warn_of_errors};
use crate::report::{Detector, ModelFacts, Report};
use embedded_rnn_nn::evaluate::{Criteria, Evaluation, scores_line};
use embedded_rnn_nn::forecast::Comparison;
use embedded_rnn_nn::output::write_atomically;
use embedded_rnn_nn::training::{Run, csv};
use embedded_rnn_pack::session::Session;
use embedded_rnn_pack::summary::Summary;
use embedded_rnn_pack::{self as pack, LayerError, Meta, Quantized};

pub const FLOAT: &str = "model.ernn";
pub const INTEGER: &str = "model.i8.ernn";
pub const HISTORY: &str = "history.csv";
pub const REPORT: &str = "report.html";

/// A model file and its evaluation, on the test data if there are any.
struct Model {
    name: &'static str,
    session: Session,
    evaluation: Evaluation,
    /// The evaluation with the threshold of the validation data, if the model is a detector.
    detector: Option<Detector>,
}

/// Packs, evaluates and writes the trained network. All other files are written even if the network has no
/// integer form.
///
/// Returns the scores of the models.
///
/// # Errors
/// A file that cannot be written; the reason why there is no i8 model.
pub fn write(job: &Job, run: &Run, spent: &Spent) -> Result<Vec<(String, f64)>> {
    let calibration: Vec<&[f32]> = job.calibration.iter().map(Vec::as_slice).collect();
    let labels = job.config.data.labels.clone().unwrap_or_default();
    let meta = Meta { name: job.config.name.clone(), labels, ..Meta::default() };
    let mut models =
        vec![evaluate(job, FLOAT, pack::write_float::<F32>(&run.network, &meta, calibration[0])?)?];
    let (errors, failure) = match quantize(&models[0].session, &calibration) {
        Ok(quantized) => {
            if job.lines == Lines::Text {
                print_line("Quantization error per layer")?;
                print_errors(&quantized)?;
            }
            warn_of_errors(&quantized, &job.out.join(INTEGER));
            models.push(evaluate(job, INTEGER, quantized.bytes)?);
            (quantized.errors, None)
        }
        Err(error) => (Vec::new(), Some(error)),
    };
    models.iter().try_for_each(|model| put(job, model.name, model.session.bytes()))?;
    put(job, HISTORY, csv(&run.history, job.config.training.loss).as_bytes())?;
    let evaluations = || models.iter().map(|model| (model.name, &model.evaluation));
    let comparison = job.forecast.as_ref().map(|forecast| Comparison::of(forecast, evaluations()));
    put(job, REPORT, report(job, run, spent, &models, &errors, &comparison)?.as_bytes())?;
    let (part, data) = job.scored();
    let reason = if part == "test" { "scored once" } else { "in a run without a test part" };
    job.lines.text(&format!("On the {part} data, {} sequences, {reason}:", data.sequences.len()))?;
    evaluations()
        .try_for_each(|(name, evaluation)| job.lines.text(&format!("{name}: {}", evaluation.headline())))?;
    for Model { name, detector, .. } in &models {
        let Some(Detector { threshold, evaluation }) = detector else { continue };
        let scores = evaluation.details();
        let kept = ["precision", "recall", "F1"];
        let kept: Vec<_> = scores.into_iter().filter(|(name, _)| kept.contains(name)).collect();
        job.lines.text(&format!(
            "{name}: with the threshold {threshold:.4}, the best on the validation data: {}",
            scores_line(&kept)
        ))?;
    }
    models.iter().try_for_each(|model| job.lines.object(&model.object(part)))?;
    comparison.iter().try_for_each(|comparison| job.lines.text(&comparison.to_string()))?;
    match failure {
        Some(error) => Err(without_integer_model(job, error)),
        None => Ok(models.iter().flat_map(|model| model.scores(part)).collect()),
    }
}

impl Model {
    /// Returns the scores by name.
    fn values(&self) -> Vec<(&'static str, f64)> {
        let Evaluation { loss, score, .. } = &self.evaluation;
        let first = [(loss.metric_name(), score.mean_metric()), ("loss", score.mean_loss())];
        first.into_iter().chain(self.evaluation.more()).collect()
    }

    /// Returns the scores, each with a name that includes the part of the data and the model.
    fn scores(&self, part: &str) -> Vec<(String, f64)> {
        let dtype = self.name.trim_end_matches(".ernn").trim_start_matches("model").trim_start_matches('.');
        let dtype = if dtype.is_empty() { "f32" } else { dtype };
        let named = |(name, value)| (format!("{part} {name} {dtype}"), value);
        self.values().into_iter().map(named).collect()
    }

    /// Returns the scores as an object.
    fn object(&self, part: &str) -> Value {
        let mut object = json!({ "event": "model", "model": self.name, "part": part });
        let values = self.values().into_iter().chain(self.evaluation.details());
        values.for_each(|(name, value)| object[name] = json!(value));
        if let Some(Detector { threshold, evaluation }) = &self.detector {
            let mut scores = json!({ "threshold": threshold });
            evaluation.details().into_iter().for_each(|(name, value)| scores[name] = json!(value));
            object["detector"] = scores;
        }
        object
    }
}

/// Returns the error that names the missing i8 model and the reason. Removes an i8 model of an earlier run,
/// which would pass for one of this run.
fn without_integer_model(job: &Job, reason: anyhow::Error) -> anyhow::Error {
    let path = job.out.join(INTEGER);
    let reason = match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => error.into(),
        _ => reason,
    };
    reason.context(format!("{}: not written", path.display()))
}

fn put(job: &Job, name: &str, bytes: &[u8]) -> Result<()> {
    let path = job.out.join(name);
    write_atomically(&path, |file| file.write_all(bytes))?;
    job.lines.text(&format!("Wrote {}, {} bytes", path.display(), bytes.len()))
}

/// Quantizes the network in the f32 file, as `ernn quantize` does, so that both write the same bytes.
fn quantize(model: &Session, calibration: &[&[f32]]) -> Result<Quantized> {
    let (network, meta) = pack::read_float::<F32>(model.bytes())?;
    pack::quantize(&network, &meta, calibration)
}

/// Evaluates a model file on the test data, or on the part that stands in for them.
fn evaluate(job: &Job, name: &'static str, bytes: Vec<u8>) -> Result<Model> {
    let session = Session::new(&job.out.join(name), &bytes)?;
    let criteria = Criteria { objective: Some(job.config.training.objective()), ..Criteria::default() };
    let evaluation = session.evaluate(job.scored().1, &criteria)?;
    if let Some(complaint) = evaluation.non_finite.complaint() {
        bail!("{}: not written: {complaint}", job.out.join(name).display());
    }
    let detector = match &job.parts.validation {
        Some(validation) if evaluation.ranking.is_some() => {
            let ranking = session.evaluate(validation, &criteria)?.ranking;
            let threshold = ranking.and_then(|ranking| ranking.best_threshold());
            let at = |threshold| {
                let evaluation = session.evaluate(job.scored().1, &Criteria { threshold, ..criteria })?;
                anyhow::Ok(Detector { threshold, evaluation })
            };
            threshold.map(at).transpose()?
        }
        _ => None,
    };
    Ok(Model { name, session, evaluation, detector })
}

fn report(
    job: &Job,
    run: &Run,
    spent: &Spent,
    models: &[Model],
    errors: &[LayerError],
    comparison: &Option<Comparison>,
) -> Result<String> {
    let mut facts_of_models = Vec::new();
    for Model { name, session, evaluation, detector } in models {
        let (summary, detector) = (Summary::of(session), detector.as_ref());
        facts_of_models.push(ModelFacts { name, summary, evaluation, detector });
    }
    Report {
        name: &job.config.name,
        loss: job.config.training.loss,
        scored: job.scored().0,
        facts: &facts(job, run, spent),
        config: &job.text,
        history: &run.history,
        models: &facts_of_models,
        errors,
        comparison: comparison.as_ref(),
    }
    .html()
}
