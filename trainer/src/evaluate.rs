//! How well a model does on labelled data, whatever it is that runs the model.

use std::fmt;

use anyhow::{Result, ensure};

use crate::data::{Dataset, Truth};
use crate::loss::{Loss, Score, Targets, argmax};
use crate::metrics::Confusion;
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
        let columns = if data.per_frame { data.sequences.steps(s) } else { 1 };
        let outputs = output.len() / size;
        ensure!(
            outputs == columns,
            "{y}: {columns} targets for sequence {s}, but the model answers {outputs} times"
        );
        let targets = match &data.truth {
            Truth::Labels(labels) => {
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
                Targets::Labels(labels)
            }
            Truth::Values { width, values } => {
                ensure!(*width == size, "{y}: {width} values, but the model has {size} outputs");
                let values = values[row * width..(row + columns) * width].to_vec();
                Targets::Values(Matrix::from_vec(size, columns, values))
            }
        };
        score = score.plus(targets.score(&Matrix::from_vec(size, columns, output)));
        row += columns;
    }
    let loss = if confusion.is_some() { Loss::CategoricalCrossentropy } else { Loss::Mse };
    Ok(Evaluation { loss, score, confusion })
}

impl Evaluation {
    /// Loss and metric.
    pub fn headline(&self) -> String {
        let (loss, metric) = (self.score.mean_loss(), self.score.mean_metric());
        format!("loss: {loss:.4} - {}: {metric:.4}", self.loss.metric_name())
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
