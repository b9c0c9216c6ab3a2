//! How well a model does on labelled data, whatever it is that runs the model.

mod pairs;

pub use pairs::{EncoderDecoder, evaluate_pairs};

use std::fmt;

use anyhow::{Result, bail, ensure};

use crate::data::{Dataset, Targets};
use crate::loss::{BatchTargets, Loss, Score, argmax};
use crate::metrics::{Confusion, Transcripts};
use crate::tensor::Matrix;

/// What came of running a model over a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The loss that goes with the kind of targets.
    pub loss: Loss,
    /// Loss and accuracy, or mean absolute error.
    pub score: Score,
    /// Which class was taken for which, where the targets are classes.
    pub confusion: Option<Confusion>,
    /// `exp(loss)`, where there is a class at every step: among how many the model might as well have thrown a die.
    pub perplexity: Option<f64>,
    /// How good the sequences are that an encoder-decoder writes by itself.
    pub transcripts: Option<Transcripts>,
}

/// Runs `predict` on every sequence: from its frames to one output of `size` values, or to one for every frame. Classes
/// are called by their `names`.
pub fn evaluate(
    size: usize,
    names: &[String],
    predict: impl Fn(&[f32]) -> Result<Vec<f32>>,
    data: &Dataset,
) -> Result<Evaluation> {
    let (y, classes) = (&data.targets_name, data.width());
    let mut score = Score::default();
    let mut confusion = None;
    let mut row = 0;
    for s in 0..data.sequences.len() {
        let output = predict(data.sequences.get(s))?;
        let columns = data.target_count(s);
        let outputs = output.len() / size;
        ensure!(
            outputs == columns,
            "{y}: {columns} targets for sequence {s}, but the model answers {outputs} times"
        );
        let targets = match &data.targets {
            Targets::Labels(labels) => {
                ensure!(
                    classes <= size,
                    "{y}: labels up to {}, but the model has {size} outputs",
                    classes - 1
                );
                let labels = labels[row..row + columns].to_vec();
                let confusion = confusion.get_or_insert_with(|| Confusion::new(names.to_vec()));
                for (given, &right) in output.chunks_exact(size).zip(&labels) {
                    confusion.count(right as usize, argmax(given));
                }
                BatchTargets::Labels(labels)
            }
            Targets::Values { width, values } => {
                ensure!(*width == size, "{y}: {width} values, but the model has {size} outputs");
                let values = values[row * width..(row + columns) * width].to_vec();
                BatchTargets::Values(Matrix::from_vec(size, columns, values))
            }
            Targets::Sequences(_) => {
                bail!("{y}: sequences with lengths of their own, but the model has no decoder")
            }
        };
        score = score.plus(targets.score(&Matrix::from_vec(size, columns, output)));
        row += columns;
    }
    let loss = if confusion.is_some() { Loss::CategoricalCrossentropy } else { Loss::Mse };
    let perplexity = (data.per_frame && confusion.is_some()).then(|| score.mean_loss().exp());
    Ok(Evaluation { loss, score, confusion, perplexity, transcripts: None })
}

impl Evaluation {
    /// Loss and metric, and what else there is in one number.
    pub fn headline(&self) -> String {
        let (loss, metric) = (self.score.mean_loss(), self.score.mean_metric());
        let mut line = format!("loss: {loss:.4} - {}: {metric:.4}", self.loss.metric_name());
        for (name, value) in self.more() {
            line += &format!(" - {name}: {value:.4}");
        }
        line
    }

    /// The numbers that not every model has, by name.
    pub fn more(&self) -> Vec<(&'static str, f64)> {
        let perplexity = self.perplexity.map(|value| ("perplexity", value));
        let transcripts = self.transcripts.iter();
        let written = transcripts
            .flat_map(|t| [("token error rate", t.token_error_rate()), ("sequences right", t.right_share())]);
        perplexity.into_iter().chain(written).collect()
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
