//! The optimizer of a config: its options and their defaults.

use anyhow::{Result, ensure};

use super::{Optimizer, Training};
use crate::optimizer::{Rule, Update};

/// The weight decay of AdamW.
const ADAMW_DECAY: f64 = 0.004;
/// The `rho` of RMSprop.
const RHO: f64 = 0.9;

impl Optimizer {
    fn name(self) -> &'static str {
        match self {
            Self::Adam => "adam",
            Self::AdamW => "adamw",
            Self::Sgd => "sgd",
            Self::Rmsprop => "rmsprop",
        }
    }

    fn learning_rate(self) -> f64 {
        match self {
            Self::Adam | Self::AdamW | Self::Rmsprop => 1e-3,
            Self::Sgd => 1e-2,
        }
    }

    fn weight_decay(self) -> f64 {
        match self {
            Self::AdamW => ADAMW_DECAY,
            Self::Adam | Self::Sgd | Self::Rmsprop => 0.0,
        }
    }
}

impl Training {
    /// Returns the learning rate from which a schedule starts.
    pub fn initial_rate(&self) -> f64 {
        self.learning_rate.unwrap_or(self.optimizer.learning_rate())
    }

    /// Returns the rule by which weights are updated.
    pub fn update(&self) -> Update {
        let momentum = self.momentum.unwrap_or(0.0);
        let rule = match self.optimizer {
            Optimizer::Adam | Optimizer::AdamW => Rule::Adam,
            Optimizer::Sgd => Rule::Sgd { momentum, nesterov: self.nesterov.unwrap_or(false) },
            Optimizer::Rmsprop => Rule::Rmsprop { rho: self.rho.unwrap_or(RHO), momentum },
        };
        Update { rule, weight_decay: self.weight_decay.unwrap_or(self.optimizer.weight_decay()) }
    }

    /// Describes the optimizer for the report.
    pub fn describe_optimizer(&self) -> String {
        let Update { rule, weight_decay } = self.update();
        let options = match rule {
            Rule::Adam => String::new(),
            Rule::Sgd { momentum, nesterov: false } => format!(", momentum {momentum}"),
            Rule::Sgd { momentum, nesterov: true } => format!(", momentum {momentum} of Nesterov"),
            Rule::Rmsprop { rho, momentum } => format!(", rho {rho}, momentum {momentum}"),
        };
        let decay = if weight_decay > 0.0 { format!(", weight decay {weight_decay}") } else { String::new() };
        format!("{}, learning rate {}{options}{decay}", self.optimizer.name(), self.initial_rate())
    }

    /// Rejects options that the optimizer does not have, and values out of range.
    pub(super) fn check_optimizer(&self) -> Result<()> {
        use Optimizer::{Rmsprop, Sgd};
        let optimizer = self.optimizer;
        for (key, given, used) in [
            ("momentum", self.momentum.is_some(), matches!(optimizer, Sgd | Rmsprop)),
            ("nesterov", self.nesterov.is_some(), optimizer == Sgd),
            ("rho", self.rho.is_some(), optimizer == Rmsprop),
        ] {
            ensure!(used || !given, "training.{key}: the optimizer {} has none", optimizer.name());
        }
        for (key, value) in
            [("momentum", self.momentum), ("rho", self.rho), ("weight_decay", self.weight_decay)]
        {
            let fits = value.is_none_or(|value| (0.0..1.0).contains(&value));
            ensure!(fits, "training.{key}: {} is not at least 0 and below 1", value.unwrap_or_default());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn training(keys: &str) -> Training {
        toml::from_str(&format!("loss = 'mse'\nepochs = 1\n{keys}")).unwrap()
    }

    #[test]
    fn defaults_are_those_of_keras() {
        let found = |keys: &str| (training(keys).update(), training(keys).initial_rate());
        let decaying = |rule, weight_decay| Update { rule, weight_decay };
        assert_eq!(found(""), (decaying(Rule::Adam, 0.0), 0.001));
        assert_eq!(found("optimizer = 'adamw'"), (decaying(Rule::Adam, 0.004), 0.001));
        let sgd = Rule::Sgd { momentum: 0.0, nesterov: false };
        assert_eq!(found("optimizer = 'sgd'"), (decaying(sgd, 0.0), 0.01));
        let rmsprop = Rule::Rmsprop { rho: 0.9, momentum: 0.0 };
        assert_eq!(found("optimizer = 'rmsprop'"), (decaying(rmsprop, 0.0), 0.001));
    }

    #[test]
    fn options_of_other_optimizers_are_rejected() {
        let reason = |keys: &str| training(keys).check_optimizer().unwrap_err().to_string();
        assert_eq!(reason("momentum = 0.9"), "training.momentum: the optimizer adam has none");
        assert_eq!(reason("optimizer = 'sgd'\nrho = 0.9"), "training.rho: the optimizer sgd has none");
        let high = "training.momentum: 1 is not at least 0 and below 1";
        assert_eq!(reason("optimizer = 'sgd'\nmomentum = 1.0"), high);
    }
}
