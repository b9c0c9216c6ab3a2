//! Scores of a model on labeled data, independent of what runs the model.

mod non_finite;
mod pairs;

pub use non_finite::NonFinite;
pub use pairs::{EncoderDecoder, evaluate_pairs};

use std::fmt;

use anyhow::{Result, bail, ensure};

use crate::data::{Dataset, Targets};
use crate::loss::{BatchTargets, Loss, Objective, Score, argmax, is_positive};
use crate::metrics::{Confusion, Transcripts};
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
    /// `exp(loss)`, where there is a class at every time step: the number of equally likely classes of the
    /// same loss.
    pub perplexity: Option<f64>,
    /// The quality of the sequences that an encoder-decoder generates autoregressively.
    pub transcripts: Option<Transcripts>,
    /// The outputs that are not finite.
    pub non_finite: NonFinite,
}

/// Runs `predict`, which maps the frames of a sequence to one output of `size` values or to one per frame, on
/// every sequence and scores the outputs, by `objective` or by one that fits the targets. `names` are the
/// names of the classes.
pub fn evaluate(
    size: usize,
    names: &[String],
    predict: impl Fn(&[f32]) -> Result<Vec<f32>>,
    data: &Dataset,
    objective: Option<Objective>,
) -> Result<Evaluation> {
    let objective = objective.unwrap_or_else(|| fitting(data, size));
    let (y, classes) = (&data.targets_name, data.width());
    let (mut score, mut non_finite) = (Score::default(), NonFinite::default());
    let mut confusion = None;
    let mut row = 0;
    for s in 0..data.sequences.len() {
        let output = predict(data.sequences.get(s))?;
        non_finite = non_finite.plus(NonFinite::of(&output));
        let columns = data.target_count(s);
        let outputs = output.len() / size;
        ensure!(
            outputs == columns,
            "{y}: {columns} targets for sequence {s}, but the model has {outputs} outputs"
        );
        let targets = match &data.targets {
            Targets::Labels(labels) => {
                // A single output is the probability of class 1.
                ensure!(
                    classes <= size.max(2),
                    "{y}: labels up to {}, but the model has {size} outputs",
                    classes - 1
                );
                let odd = output.iter().find(|output| !(0.0..=1.0).contains(*output) && output.is_finite());
                if let (Some(value), 1) = (odd, size) {
                    bail!("{y}: classes, but the only output of the model, {value}, is no probability");
                }
                let labels = labels[row..row + columns].to_vec();
                let confusion = confusion.get_or_insert_with(|| Confusion::new(names.to_vec()));
                for (output, &label) in output.chunks_exact(size).zip(&labels) {
                    confusion.count(label as usize, class_of(output));
                }
                BatchTargets::Labels(labels)
            }
            Targets::Values { width, values } => {
                ensure!(*width == size, "{y}: {width} values, but the model has {size} outputs");
                let values = values[row * width..(row + columns) * width].to_vec();
                BatchTargets::Values(Matrix::from_vec(size, columns, values))
            }
            Targets::Sequences(_) => {
                bail!("{y}: sequences with their own lengths, but the model has no decoder")
            }
        };
        let weights = data.weights.as_ref().map(|weights| &weights[row..row + columns]);
        score = score.plus(objective.score(&targets, weights, &Matrix::from_vec(size, columns, output)));
        row += columns;
    }
    let loss = objective.loss;
    let is_generative = data.per_frame && loss == Loss::CategoricalCrossentropy;
    let perplexity = is_generative.then(|| score.mean_loss().exp());
    Ok(Evaluation { loss, score, confusion, perplexity, transcripts: None, non_finite })
}

/// Returns the class that an output stands for: that of the largest value, or of a single probability 1 above
/// the threshold.
pub fn class_of(output: &[f32]) -> usize {
    match output {
        [probability] => usize::from(is_positive(f64::from(*probability))),
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
    /// Formats the loss, the metric and the other scores that are a single number.
    pub fn headline(&self) -> String {
        let (loss, metric) = (self.score.mean_loss(), self.score.mean_metric());
        let mut line = format!("loss: {loss:.4} - {}: {metric:.4}", self.loss.metric_name());
        for (name, value) in self.more() {
            line += &format!(" - {name}: {value:.4}");
        }
        line
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
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.headline())?;
        match &self.confusion {
            Some(confusion) => write!(f, "\n{confusion}"),
            None => Ok(()),
        }
    }
}
