//! What each epoch gave.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::loss::{Loss, Score};

/// The numbers of one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// The mean loss while training.
    pub loss: f64,
    /// The accuracy, or for mse the mean absolute error, while training.
    pub metric: f64,
    /// The mean loss on the validation data.
    pub val_loss: f64,
    /// The metric on the validation data.
    pub val_metric: f64,
}

impl Epoch {
    /// From what training and validation scored.
    pub fn new(train: Score, validation: Score) -> Self {
        Self {
            loss: train.mean_loss(),
            metric: train.mean_metric(),
            val_loss: validation.mean_loss(),
            val_metric: validation.mean_metric(),
        }
    }

    /// The numbers as Keras prints them.
    pub fn line(&self, loss: Loss) -> String {
        let (metric, val_metric) = (loss.metric_name(), loss.val_metric_name());
        format!(
            "loss: {:.4} - {metric}: {:.4} - val_loss: {:.4} - {val_metric}: {:.4}",
            self.loss, self.metric, self.val_loss, self.val_metric
        )
    }
}

/// All epochs, the first one first.
pub type History = Vec<Epoch>;

/// A table with a line an epoch.
pub fn csv(history: &History, loss: Loss) -> String {
    let mut text = format!("epoch,loss,{},val_loss,{}\n", loss.metric_name(), loss.val_metric_name());
    for (k, epoch) in history.iter().enumerate() {
        let Epoch { loss, metric, val_loss, val_metric } = epoch;
        writeln!(text, "{},{loss},{metric},{val_loss},{val_metric}", k + 1).expect("strings take all");
    }
    text
}
