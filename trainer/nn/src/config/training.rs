//! The training options of a config.

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::ClassWeight;
use crate::loss::Loss;
use crate::optimizer::Clipping;

/// The training options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The loss.
    pub loss: Loss,
    /// The share of each target of a cross-entropy that is spread evenly over all classes; default 0.
    pub label_smoothing: Option<f64>,
    /// The error at which `huber` turns from squares to absolute values; default 1.
    pub delta: Option<f64>,
    /// The weights of the classes in the training loss: `balanced`, or a table; default 1 each.
    pub class_weight: Option<ClassWeight>,
    /// The optimizer; default `adam`.
    #[serde(default)]
    pub optimizer: Optimizer,
    /// The learning rate; default 0.001, of `sgd` 0.01.
    pub learning_rate: Option<f64>,
    /// The share of the velocity that remains per update, for `sgd` and `rmsprop`; default 0.
    pub momentum: Option<f64>,
    /// `true` for Nesterov's momentum, for `sgd`; default false.
    pub nesterov: Option<bool>,
    /// The share of the mean square that remains per update, for `rmsprop`; default 0.9.
    pub rho: Option<f64>,
    /// The decay of all weights per update, as a factor of the learning rate; default 0, of `adamw` 0.004.
    pub weight_decay: Option<f64>,
    /// The schedule of the learning rate; default `constant`.
    #[serde(default)]
    pub learning_rate_schedule: Schedule,
    /// The number of updates, at the start, over which the learning rate rises from 0; default 0.
    #[serde(default)]
    pub warmup_steps: u64,
    /// The number of updates of a decay: of `exponential_decay` those per factor, which it needs; of
    /// `cosine_decay` those until its end, by default all.
    pub decay_steps: Option<u64>,
    /// The factor of `exponential_decay`, which it needs.
    pub decay_rate: Option<f64>,
    /// `true` if `exponential_decay` goes in steps; default false.
    pub staircase: Option<bool>,
    /// The share of the learning rate that remains at the end of `cosine_decay`; default 0.
    pub alpha: Option<f64>,
    /// The numbers of updates up to which the values of `piecewise_constant_decay` last, but for the last
    /// value.
    pub boundaries: Option<Vec<u64>>,
    /// The learning rates of `piecewise_constant_decay`, one more than boundaries.
    pub values: Option<Vec<f64>>,
    /// The reduction of the learning rate where a score no longer improves; none by default.
    pub reduce_lr_on_plateau: Option<ReduceLrOnPlateau>,
    /// The end of the training where a score no longer improves; none by default.
    pub early_stopping: Option<EarlyStopping>,
    /// The largest norm of the gradient of one parameter matrix.
    pub clipnorm: Option<f64>,
    /// The largest norm of all gradients together.
    pub global_clipnorm: Option<f64>,
    /// Sequences per update.
    #[serde(default = "default_batch_size")]
    pub batch_size: usize,
    /// The number of passes over all sequences.
    pub epochs: usize,
}

/// The optimizer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Optimizer {
    /// Adam.
    #[default]
    Adam,
    /// Adam with weight decay.
    #[serde(rename = "adamw")]
    AdamW,
    /// Stochastic gradient descent.
    Sgd,
    /// RMSprop.
    Rmsprop,
}

/// The schedule of the learning rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// The learning rate stays constant.
    #[default]
    Constant,
    /// Keras's `CosineDecay`, by default over all updates and down to zero.
    CosineDecay,
    /// Keras's `ExponentialDecay`.
    ExponentialDecay,
    /// Keras's `PiecewiseConstantDecay`.
    PiecewiseConstantDecay,
}

/// The end of a training where a score no longer improves, Keras's `EarlyStopping`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    /// The name of the score in the history; default `val_loss`.
    #[serde(default = "default_monitor")]
    pub monitor: String,
    /// The smallest difference that is an improvement; default 0.
    #[serde(default)]
    pub min_delta: f64,
    /// The number of epochs without an improvement after which the training stops; default 0.
    #[serde(default)]
    pub patience: usize,
    /// `true` if the weights of the best epoch become those of the model; default false: those of the last.
    #[serde(default)]
    pub restore_best_weights: bool,
}

/// The reduction of the learning rate where a score no longer improves, Keras's `ReduceLROnPlateau`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReduceLrOnPlateau {
    /// The name of the score in the history; default `val_loss`.
    #[serde(default = "default_monitor")]
    pub monitor: String,
    /// The factor of the learning rate, below 1; default 0.1.
    #[serde(default = "default_factor")]
    pub factor: f64,
    /// The number of epochs without an improvement after which the rate is reduced; default 10.
    #[serde(default = "default_plateau")]
    pub patience: usize,
    /// The smallest difference that is an improvement; default 0.0001.
    #[serde(default = "default_min_delta")]
    pub min_delta: f64,
    /// The number of epochs after a reduction that are not counted; default 0.
    #[serde(default)]
    pub cooldown: usize,
    /// The smallest learning rate; default 0.
    #[serde(default)]
    pub min_lr: f64,
}

fn default_batch_size() -> usize {
    32
}

fn default_monitor() -> String {
    "val_loss".to_owned()
}

fn default_factor() -> f64 {
    0.1
}

fn default_plateau() -> usize {
    10
}

fn default_min_delta() -> f64 {
    1e-4
}

impl Training {
    /// Returns the bounds on gradients.
    pub fn clipping(&self) -> Clipping {
        Clipping { clipnorm: self.clipnorm, global_clipnorm: self.global_clipnorm }
    }

    /// Rejects values and combinations that are not valid.
    pub(super) fn check(&self) -> Result<()> {
        let positive = |key: &str, value: Option<f64>| match value {
            Some(value) if !(value > 0.0 && value.is_finite()) => {
                bail!("training.{key}: {value} is not a positive number")
            }
            _ => Ok(()),
        };
        positive("learning_rate", self.learning_rate)?;
        positive("clipnorm", self.clipnorm)?;
        positive("global_clipnorm", self.global_clipnorm)?;
        self.check_loss()?;
        self.check_optimizer()?;
        self.check_schedule()?;
        ensure!(self.batch_size > 0, "training.batch_size: 0");
        ensure!(self.epochs > 0, "training.epochs: 0");
        if let Some(rules) = &self.early_stopping {
            let EarlyStopping { monitor, min_delta, .. } = rules;
            self.check_monitor(monitor, *min_delta).context("training.early_stopping")?;
        }
        if let Some(rules) = &self.reduce_lr_on_plateau {
            self.check_plateau(rules).context("training.reduce_lr_on_plateau")?;
        }
        Ok(())
    }

    fn check_monitor(&self, monitor: &str, min_delta: f64) -> Result<()> {
        let names = self.loss.score_names();
        ensure!(names.contains(&monitor), "monitor: {monitor:?} is not one of {}", names.join(", "));
        ensure!(min_delta >= 0.0 && min_delta.is_finite(), "min_delta: {min_delta} is not at least 0");
        Ok(())
    }

    fn check_plateau(&self, rules: &ReduceLrOnPlateau) -> Result<()> {
        let ReduceLrOnPlateau { monitor, factor, patience, min_delta, min_lr, .. } = rules;
        self.check_monitor(monitor, *min_delta)?;
        ensure!(*factor > 0.0 && *factor < 1.0, "factor: {factor} is not between 0 and 1");
        ensure!(*patience > 0, "patience: 0");
        ensure!(*min_lr >= 0.0 && min_lr.is_finite(), "min_lr: {min_lr} is not at least 0");
        let constant = self.learning_rate_schedule == Schedule::Constant && self.warmup_steps == 0;
        ensure!(constant, "it needs the schedule constant without a warm-up, as these set the learning rate");
        Ok(())
    }

    /// Rejects a score of the validation to be monitored if there is no validation.
    pub fn check_monitored(&self, has_validation: bool) -> Result<()> {
        let stopping = self.early_stopping.as_ref().map(|rules| ("early_stopping", &rules.monitor));
        let plateau =
            self.reduce_lr_on_plateau.as_ref().map(|rules| ("reduce_lr_on_plateau", &rules.monitor));
        for (key, monitor) in stopping.into_iter().chain(plateau) {
            ensure!(
                has_validation || !monitor.starts_with("val_"),
                "training.{key}.monitor: {monitor}, but there are no validation data"
            );
        }
        Ok(())
    }
}
