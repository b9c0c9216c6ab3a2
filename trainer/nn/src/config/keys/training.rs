//! The keys of the training.

use super::{Key, key};

pub(super) const TRAINING: &[Key] = &[
    key(
        "loss",
        "required",
        "name",
        "`categorical_crossentropy`, `binary_crossentropy`, `mse` or `mean_squared_error`, `mae` or \
         `mean_absolute_error`, `huber`",
    ),
    key(
        "label_smoothing",
        "0",
        "share, 0 to 1",
        "of a cross-entropy: the share of each target that is spread evenly over all classes",
    ),
    key(
        "delta",
        "1",
        "unit of the targets",
        "of `huber`: the error at which squares turn into absolute values",
    ),
    key(
        "class_weight",
        "1 each",
        "`\"balanced\"`, or a table of classes and factors",
        "of a cross-entropy: the weights of the classes in the training loss",
    ),
    key("optimizer", "`\"adam\"`", "name", "`adam`, `adamw`, `sgd` or `rmsprop`"),
    key("learning_rate", "0.001; of `sgd` 0.01", "step per gradient", "the learning rate"),
    key(
        "momentum",
        "0",
        "share, 0 to 1",
        "of `sgd` and `rmsprop`: the share of the velocity that remains per update",
    ),
    key("nesterov", "false", "true, false", "of `sgd`: Nesterov's momentum"),
    key("rho", "0.9", "share, 0 to 1", "of `rmsprop`: the share of the mean square that remains per update"),
    key(
        "weight_decay",
        "0; of `adamw` 0.004",
        "per learning rate",
        "all weights are multiplied by `1 - weight_decay * learning_rate` before each update",
    ),
    key(
        "learning_rate_schedule",
        "`\"constant\"`",
        "name",
        "`constant`, `cosine_decay`, `exponential_decay` or `piecewise_constant_decay`",
    ),
    key("warmup_steps", "0", "updates", "the updates at the start over which the learning rate rises from 0"),
    key(
        "decay_steps",
        "all updates; required by `exponential_decay`",
        "updates",
        "of `cosine_decay` the updates until its end, of `exponential_decay` those per factor",
    ),
    key("decay_rate", "required by `exponential_decay`", "factor", "of `exponential_decay`: the factor"),
    key("staircase", "false", "true, false", "of `exponential_decay`: whether it goes in steps"),
    key(
        "alpha",
        "0",
        "share, 0 to 1",
        "of `cosine_decay`: the share of the learning rate that remains at the end",
    ),
    key(
        "boundaries",
        "required by `piecewise_constant_decay`",
        "list of updates",
        "of `piecewise_constant_decay`: the updates up to which all values but the last one hold",
    ),
    key(
        "values",
        "required by `piecewise_constant_decay`",
        "list of learning rates",
        "of `piecewise_constant_decay`: one value more than boundaries",
    ),
    key("reduce_lr_on_plateau", "none", "table", "the reduction of the learning rate, see below"),
    key("early_stopping", "none", "table", "the end of the training, see below"),
    key("clipnorm", "none", "norm", "the largest norm of the gradient of one parameter matrix"),
    key("global_clipnorm", "none", "norm", "the largest norm of all gradients together"),
    key("batch_size", "32", "sequences", "the sequences per update"),
    key("epochs", "required", "epochs", "the passes over all sequences"),
];

/// The meaning of `monitor`.
const MONITOR: &str = "the score: `loss`, `accuracy` (of values `mae`), or one of them with `val_`";

pub(super) const EARLY_STOPPING: &[Key] = &[
    key("monitor", "`\"val_loss\"`", "name", MONITOR),
    key("min_delta", "0", "unit of the score", "the smallest difference that is an improvement"),
    key("patience", "0", "epochs", "the epochs without an improvement after which the training stops"),
    key(
        "restore_best_weights",
        "false",
        "true, false",
        "whether the model has the weights of the best epoch, not those of the last",
    ),
];

pub(super) const REDUCE_LR_ON_PLATEAU: &[Key] = &[
    key("monitor", "`\"val_loss\"`", "name", MONITOR),
    key("factor", "0.1", "factor, 0 to 1", "the factor of the learning rate"),
    key("patience", "10", "epochs", "the epochs without an improvement after which the rate is reduced"),
    key("min_delta", "0.0001", "unit of the score", "the smallest difference that is an improvement"),
    key("cooldown", "0", "epochs", "the epochs after a reduction that are not counted"),
    key("min_lr", "0", "step per gradient", "the smallest learning rate"),
];
