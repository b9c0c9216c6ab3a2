//! The scores of each epoch.

use serde::{Deserialize, Serialize};

use crate::loss::{Loss, Score};

/// The scores of one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// The mean loss during training.
    pub loss: f64,
    /// The metric of the loss during training.
    pub metric: f64,
    /// The mean loss on the validation data, if there are any.
    pub val_loss: Option<f64>,
    /// The metric on the validation data.
    pub val_metric: Option<f64>,
    /// The learning rate of the last update.
    pub learning_rate: f64,
    /// The mean over the updates of the norm of all gradients together, before clipping.
    pub gradient_norm: f64,
}

/// The result of training on every sequence once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Trained {
    /// Loss and metric of the outputs before the update that each led to.
    pub score: Score,
    /// The learning rate of the last update.
    pub learning_rate: f64,
    /// The mean norm of the gradients before clipping.
    pub gradient_norm: f64,
}

impl Epoch {
    /// Builds an epoch from the scores of training and validation.
    pub fn new(trained: Trained, validation: Option<Score>) -> Self {
        Self {
            loss: trained.score.mean_loss(),
            metric: trained.score.mean_metric(),
            val_loss: validation.map(|score| score.mean_loss()),
            val_metric: validation.map(|score| score.mean_metric()),
            learning_rate: trained.learning_rate,
            gradient_norm: trained.gradient_norm,
        }
    }

    /// Returns the scores by the names that Keras gives them, in the order of a line of the history.
    pub fn scores(&self, loss: Loss) -> Vec<(&'static str, f64)> {
        let trained = [("loss", Some(self.loss)), (loss.metric_name(), Some(self.metric))];
        let validation = [("val_loss", self.val_loss), (loss.val_metric_name(), self.val_metric)];
        let all = trained.into_iter().chain(validation);
        all.filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// Formats the scores as Keras prints them.
    pub fn line(&self, loss: Loss) -> String {
        let scores = self.scores(loss).into_iter().map(|(name, value)| format!("{name}: {value:.4}"));
        scores.collect::<Vec<_>>().join(" - ")
    }
}

/// All epochs in order.
pub type History = Vec<Epoch>;

/// Formats a table with one line per epoch.
pub fn csv(history: &History, loss: Loss) -> String {
    let mut text = String::from("epoch");
    let names = history.first().map(|epoch| epoch.scores(loss)).unwrap_or_default();
    names.iter().for_each(|(name, _)| text += &format!(",{name}"));
    text += ",learning_rate,gradient_norm\n";
    for (k, epoch) in history.iter().enumerate() {
        text += &(k + 1).to_string();
        epoch.scores(loss).iter().for_each(|(_, value)| text += &format!(",{value}"));
        text += &format!(",{},{}\n", epoch.learning_rate, epoch.gradient_norm);
    }
    text
}
