//! The scores of each epoch.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::loss::{Loss, Score};

/// The scores of one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// The mean loss during training.
    pub loss: f64,
    /// The accuracy, or for mse the mean absolute error, during training.
    pub metric: f64,
    /// The mean loss on the validation data.
    pub val_loss: f64,
    /// The metric on the validation data.
    pub val_metric: f64,
}

impl Epoch {
    /// Builds an epoch from the scores of training and validation.
    pub fn new(train: Score, validation: Score) -> Self {
        Self {
            loss: train.mean_loss(),
            metric: train.mean_metric(),
            val_loss: validation.mean_loss(),
            val_metric: validation.mean_metric(),
        }
    }

    /// Formats the scores as Keras prints them.
    pub fn line(&self, loss: Loss) -> String {
        let (metric, val_metric) = (loss.metric_name(), loss.val_metric_name());
        format!(
            "loss: {:.4} - {metric}: {:.4} - val_loss: {:.4} - {val_metric}: {:.4}",
            self.loss, self.metric, self.val_loss, self.val_metric
        )
    }
}

/// All epochs in order.
pub type History = Vec<Epoch>;

/// Formats a table with one line per epoch.
pub fn csv(history: &History, loss: Loss) -> String {
    let mut text = format!("epoch,loss,{},val_loss,{}\n", loss.metric_name(), loss.val_metric_name());
    for (k, epoch) in history.iter().enumerate() {
        let Epoch { loss, metric, val_loss, val_metric } = epoch;
        writeln!(text, "{},{loss},{metric},{val_loss},{val_metric}", k + 1)
            .expect("writing to a string cannot fail");
    }
    text
}
