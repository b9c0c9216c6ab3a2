//! Scores of a model on labeled data, independent of what runs the model.

mod non_finite;
mod pairs;

pub use non_finite::NonFinite;
pub use pairs::{EncoderDecoder, evaluate_pairs};

use std::fmt;

use anyhow::{Result, bail, ensure};

use crate::data::{Dataset, Targets};
use crate::loss::{BatchTargets, Loss, Objective, Score, THRESHOLD, argmax};
use crate::metrics::{ClassScores, Confusion, Ranking, Residuals, Transcripts};
use crate::tensor::Matrix;

/// The scores of a model over a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The loss: that of the training, or one that fits the targets.
    pub loss: Loss,
    /// Loss, and accuracy or mean absolute error.
    pub score: Score,
    /// The confusion matrix, where the targets are classes.
    pub confusion: Option<Confusion>,
    /// The scores of the probabilities, where the targets are one of several classes.
    pub class_scores: Option<ClassScores>,
    /// The order of the outputs of a detector, a model with a single output and classes as targets.
    pub ranking: Option<Ranking>,
    /// The errors, where the targets are values.
    pub residuals: Option<Residuals>,
    /// `exp(loss)`, where there is a class at every time step: the number of equally likely classes of the
    /// same loss.
    pub perplexity: Option<f64>,
    /// The quality of the sequences that an encoder-decoder generates autoregressively.
    pub transcripts: Option<Transcripts>,
    /// The outputs that are not finite.
    pub non_finite: NonFinite,
}

/// The criteria by which outputs are judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Criteria {
    /// The loss; by default, one that fits the targets.
    pub objective: Option<Objective>,
    /// The probability above which a single output stands for class 1.
    pub threshold: f64,
}

impl Default for Criteria {
    fn default() -> Self {
        Self { objective: None, threshold: THRESHOLD }
    }
}

/// The outputs and the labels of a classifier, one after another.
#[derive(Default)]
struct Classified {
    outputs: Vec<f32>,
    labels: Vec<u32>,
}

/// Runs `predict`, which maps the frames of a sequence to one output of `size` values or to one per frame, on
/// every sequence and scores the outputs. `names` are the names of the classes.
pub fn evaluate(
    size: usize,
    names: &[String],
    predict: impl Fn(&[f32]) -> Result<Vec<f32>>,
    data: &Dataset,
    criteria: &Criteria,
) -> Result<Evaluation> {
    let objective = criteria.objective.unwrap_or_else(|| fitting(data, size));
    let y = &data.targets_name;
    let mut found = Evaluation::new(objective.loss, Score::default());
    let mut classified = Classified::default();
    let mut row = 0;
    for s in 0..data.sequences.len() {
        let output = predict(data.sequences.get(s))?;
        found.non_finite = found.non_finite.plus(NonFinite::of(&output));
        let columns = data.target_count(s);
        let outputs = output.len() / size;
        ensure!(
            outputs == columns,
            "{y}: {columns} targets for sequence {s}, but the model has {outputs} outputs"
        );
        let targets = match &data.targets {
            Targets::Labels(labels) => {
                check_classes(data, size, &output)?;
                let labels = labels[row..row + columns].to_vec();
                classified.outputs.extend_from_slice(&output);
                classified.labels.extend_from_slice(&labels);
                BatchTargets::Labels(labels)
            }
            Targets::Values { width, values } => {
                ensure!(*width == size, "{y}: {width} values, but the model has {size} outputs");
                let values = values[row * width..(row + columns) * width].to_vec();
                if !objective.loss.is_crossentropy() {
                    let residuals = found.residuals.get_or_insert_with(|| Residuals::new(size));
                    let pairs = output.chunks_exact(size).zip(values.chunks_exact(size));
                    pairs.for_each(|(output, target)| residuals.add(output, target));
                }
                BatchTargets::Values(Matrix::from_vec(size, columns, values))
            }
            Targets::Sequences(_) => {
                bail!("{y}: sequences with their own lengths, but the model has no decoder")
            }
        };
        let weights = data.weights.as_ref().map(|weights| &weights[row..row + columns]);
        let output = Matrix::from_vec(size, columns, output);
        found.score = found.score.plus(objective.score(&targets, weights, &output));
        row += columns;
    }
    if let Targets::Labels(_) = &data.targets {
        found.count(size, names, &classified, criteria.threshold);
    }
    let is_generative = data.per_frame && objective.loss == Loss::CategoricalCrossentropy;
    found.perplexity = is_generative.then(|| found.score.mean_loss().exp());
    Ok(found)
}

/// Rejects labels that are no classes of the outputs, and a single output that is no probability of class 1.
fn check_classes(data: &Dataset, size: usize, output: &[f32]) -> Result<()> {
    let (y, classes) = (&data.targets_name, data.width());
    ensure!(classes <= size.max(2), "{y}: labels up to {}, but the model has {size} outputs", classes - 1);
    let odd = output.iter().find(|output| !(0.0..=1.0).contains(*output) && output.is_finite());
    if let (Some(value), 1) = (odd, size) {
        bail!("{y}: classes, but the only output of the model, {value}, is no probability");
    }
    Ok(())
}

impl Evaluation {
    /// Creates an evaluation with a loss and a metric alone.
    pub fn new(loss: Loss, score: Score) -> Self {
        Self {
            loss,
            score,
            confusion: None,
            class_scores: None,
            ranking: None,
            residuals: None,
            perplexity: None,
            transcripts: None,
            non_finite: NonFinite::default(),
        }
    }

    /// Adds the scores of classes, from outputs of `size` values.
    fn count(&mut self, size: usize, names: &[String], classified: &Classified, threshold: f64) {
        let Classified { outputs, labels } = classified;
        let confusion = self.confusion.insert(Confusion::new(names.to_vec()));
        for (output, &label) in outputs.chunks_exact(size).zip(labels) {
            confusion.count(label as usize, class_of(output, threshold));
        }
        if size == 1 {
            self.score.metric = confusion.accuracy() * confusion.total() as f64;
            let pairs = outputs.iter().copied().zip(labels.iter().map(|&label| label == 1));
            self.ranking = Some(Ranking::new(pairs));
        } else {
            self.class_scores = Some(ClassScores::new(size, outputs, labels));
        }
    }
}

/// Returns the class that an output stands for: that of the largest value, or of a single probability 1 above
/// the threshold.
pub fn class_of(output: &[f32], threshold: f64) -> usize {
    match output {
        [probability] => usize::from(f64::from(*probability) > threshold),
        _ => argmax(output),
    }
}

/// Returns a loss that fits the targets and the number of outputs.
fn fitting(data: &Dataset, size: usize) -> Objective {
    Objective::new(match &data.targets {
        Targets::Labels(_) if size == 1 => Loss::BinaryCrossentropy,
        Targets::Labels(_) | Targets::Sequences(_) => Loss::CategoricalCrossentropy,
        Targets::Values { .. } => Loss::Mse,
    })
}

impl Evaluation {
    /// Returns the names and values of the loss, the metric and those that only some models have.
    pub fn scores(&self) -> Vec<(&'static str, f64)> {
        let first = [("loss", self.score.mean_loss()), (self.loss.metric_name(), self.score.mean_metric())];
        first.into_iter().chain(self.more()).collect()
    }

    /// Formats the loss, the metric and the other scores that tell models apart at a glance.
    pub fn headline(&self) -> String {
        scores_line(&self.scores())
    }

    /// Returns the names and values of the scores that only some models have.
    pub fn more(&self) -> Vec<(&'static str, f64)> {
        let perplexity = self.perplexity.map(|value| ("perplexity", value));
        let transcripts = self.transcripts.iter();
        let generated = transcripts.flat_map(|t| {
            [("token error rate", t.token_error_rate()), ("sequences correct", t.correct_share())]
        });
        perplexity.into_iter().chain(generated).collect()
    }

    /// Returns the names and values of the further scores: those of a classifier, a detector or a regression.
    pub fn details(&self) -> Vec<(&'static str, f64)> {
        let mut details = Vec::new();
        let mut add = |name, value: Option<f64>| details.extend(value.map(|value| (name, value)));
        if let Some(confusion) = &self.confusion {
            add("balanced accuracy", Some(confusion.balanced_accuracy()));
        }
        if let (Some(confusion), Some(ranking)) = (&self.confusion, &self.ranking) {
            let alarm = confusion.class(1);
            add("precision", Some(alarm.precision));
            add("recall", Some(alarm.recall));
            add("F1", Some(alarm.f1));
            add("ROC AUC", ranking.roc_auc());
            add("average precision", ranking.average_precision());
        }
        if let Some(scores) = &self.class_scores {
            add("top-5 accuracy", scores.top_k);
            add("macro ROC AUC", scores.roc_auc);
            add("macro average precision", scores.average_precision);
        }
        if let Some(residuals) = &self.residuals {
            // The loss and the metric are those of the training and may be others.
            add("MAE", Some(residuals.mae()));
            add("RMSE", Some(residuals.rmse()));
            add("R2", Some(residuals.r2()));
        }
        details
    }
}

/// Formats names and values of scores on one line.
pub fn scores_line(scores: &[(&'static str, f64)]) -> String {
    let scores = scores.iter().map(|(name, value)| format!("{name}: {value:.4}"));
    scores.collect::<Vec<_>>().join(" - ")
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.headline())?;
        let details = self.details();
        if !details.is_empty() {
            writeln!(f, "{}", scores_line(&details))?;
        }
        match &self.confusion {
            Some(confusion) => write!(f, "\n{confusion}"),
            None => Ok(()),
        }
    }
}
