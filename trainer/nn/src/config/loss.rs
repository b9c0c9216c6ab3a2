//! The loss of a config: its options, the last layer that it needs, and the weights of classes.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::layers::outputs;
use super::{Config, Training};
use crate::activation::Activation;
use crate::data::{Dataset, Targets};
use crate::loss::{Loss, Objective};

/// The weights of classes in the loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "class_weight is \"balanced\", or a table of classes and their weights")]
pub enum ClassWeight {
    /// A rule.
    Rule(ClassWeightRule),
    /// The weight of each class, by its number or name; of a class that is missing, 1.
    Each(BTreeMap<String, f64>),
}

/// A rule for the weights of classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeightRule {
    /// All classes have the same weight in sum: scikit-learn's `n / (classes * count of the class)`.
    Balanced,
}

impl Training {
    /// Returns the function that is minimized.
    pub fn objective(&self) -> Objective {
        let plain = Objective::new(self.loss);
        Objective {
            loss: self.loss,
            label_smoothing: self.label_smoothing.unwrap_or(plain.label_smoothing),
            delta: self.delta.unwrap_or(plain.delta),
        }
    }

    /// Rejects options that the loss does not have, and values out of range.
    pub(super) fn check_loss(&self) -> Result<()> {
        let (name, crossentropy) = (self.loss.name(), self.loss.is_crossentropy());
        for (key, given, used) in [
            ("label_smoothing", self.label_smoothing.is_some(), crossentropy),
            ("class_weight", self.class_weight.is_some(), crossentropy),
            ("delta", self.delta.is_some(), self.loss == Loss::Huber),
        ] {
            ensure!(used || !given, "training.{key}: not used by the loss {name}");
        }
        let Objective { label_smoothing, delta, .. } = self.objective();
        let fits = (0.0..1.0).contains(&label_smoothing);
        ensure!(fits, "training.label_smoothing: {label_smoothing} is not at least 0 and below 1");
        ensure!(delta > 0.0 && delta.is_finite(), "training.delta: {delta} is not a positive number");
        if let Some(ClassWeight::Each(weights)) = &self.class_weight {
            for (class, weight) in weights {
                let fits = *weight >= 0.0 && weight.is_finite();
                ensure!(fits, "training.class_weight.{class}: {weight} is not at least 0");
            }
        }
        Ok(())
    }
}

impl Config {
    /// Returns the number of classes: of a single probability two.
    pub(super) fn classes(&self) -> usize {
        match outputs(&self.layers).unwrap_or(0) {
            1 if self.training.loss == Loss::BinaryCrossentropy => 2,
            outputs => outputs,
        }
    }

    /// Rejects a last layer that does not fit the loss, and weights of classes that there are not.
    pub(super) fn check_head(&self) -> Result<()> {
        let loss = self.training.loss;
        let needed = match loss {
            Loss::CategoricalCrossentropy => Some((Activation::Softmax, "softmax")),
            Loss::BinaryCrossentropy => Some((Activation::Sigmoid, "sigmoid")),
            Loss::Mse | Loss::Mae | Loss::Huber => None,
        };
        if let Some((activation, name)) = needed {
            let last = self.layers.last().map(|layer| layer.get().output_activation());
            ensure!(
                last == Some(activation),
                "training.loss: {} needs a Dense layer with activation {name} at the end",
                loss.name()
            );
        }
        let Some(weights) = &self.training.class_weight else { return Ok(()) };
        ensure!(self.encoder.is_empty(), "training.class_weight: not used by an encoder-decoder");
        let ClassWeight::Each(weights) = weights else { return Ok(()) };
        weights.keys().try_for_each(|class| self.class(class).map(drop)).context("training.class_weight")
    }

    /// Returns the number of a class from its name or number.
    fn class(&self, name: &str) -> Result<usize> {
        let named = self.data.labels.iter().flatten().position(|label| label == name);
        if let Some(class) = named.or_else(|| name.parse().ok().filter(|&class| class < self.classes())) {
            return Ok(class);
        }
        bail!("{name:?} is neither the name of a class nor a number below {}", self.classes())
    }

    /// Rejects a training part whose targets are all of the same class.
    pub fn check_classes(&self, train: &Dataset) -> Result<()> {
        let Targets::Labels(labels) = &train.targets else { return Ok(()) };
        if let ([first, rest @ ..], true) = (&labels[..], self.training.loss.is_crossentropy()) {
            let is_same = rest.iter().all(|label| label == first);
            let name = &train.targets_name;
            ensure!(!is_same, "{name}: all targets are of class {first}: there is nothing to learn");
        }
        Ok(())
    }

    /// Multiplies the weights of the targets of the training part by those of their classes.
    ///
    /// # Errors
    /// Targets that are not classes.
    pub fn weigh_classes(&self, train: &mut Dataset) -> Result<()> {
        let Some(weights) = &self.training.class_weight else { return Ok(()) };
        let is_classes = matches!(train.targets, Targets::Labels(_));
        ensure!(is_classes, "{}: not classes, which training.class_weight needs", train.targets_name);
        let weights = match weights {
            ClassWeight::Rule(ClassWeightRule::Balanced) => balanced(&train.class_counts()),
            ClassWeight::Each(each) => {
                let mut weights = vec![1.0; self.classes()];
                for (class, &weight) in each {
                    weights[self.class(class)?] = weight;
                }
                weights
            }
        };
        train.weigh_classes(&weights);
        Ok(())
    }
}

/// Returns the weights that give all classes with targets the same weight in sum.
fn balanced(counts: &[usize]) -> Vec<f64> {
    let (all, classes) = (counts.iter().sum::<usize>(), counts.iter().filter(|&&count| count > 0).count());
    counts.iter().map(|&count| all as f64 / (classes * count).max(1) as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn training(keys: &str) -> Training {
        toml::from_str(&format!("epochs = 1\n{keys}")).unwrap()
    }

    #[test]
    fn options_and_defaults_are_those_of_keras() {
        let objective = |keys| training(keys).objective();
        assert_eq!(
            objective("loss = 'huber'"),
            Objective { loss: Loss::Huber, label_smoothing: 0.0, delta: 1.0 }
        );
        assert_eq!(objective("loss = 'mean_absolute_error'").loss, Loss::Mae);
        assert_eq!(objective("loss = 'mean_squared_error'").loss, Loss::Mse);
        assert_eq!(objective("loss = 'binary_crossentropy'\nlabel_smoothing = 0.2").label_smoothing, 0.2);
    }

    #[test]
    fn options_of_other_losses_and_values_out_of_range_are_rejected() {
        let reason = |keys| training(keys).check_loss().unwrap_err().to_string();
        let other = "training.label_smoothing: not used by the loss mae";
        assert_eq!(reason("loss = 'mae'\nlabel_smoothing = 0.1"), other);
        assert_eq!(reason("loss = 'mse'\ndelta = 2"), "training.delta: not used by the loss mse");
        let weights = "training.class_weight: not used by the loss huber";
        assert_eq!(reason("loss = 'huber'\nclass_weight = 'balanced'"), weights);
        assert_eq!(reason("loss = 'huber'\ndelta = 0"), "training.delta: 0 is not a positive number");
        let smoothing = "training.label_smoothing: 1 is not at least 0 and below 1";
        assert_eq!(reason("loss = 'binary_crossentropy'\nlabel_smoothing = 1"), smoothing);
        let negative = "training.class_weight.1: -2 is not at least 0";
        assert_eq!(reason("loss = 'binary_crossentropy'\nclass_weight = { 0 = 1, 1 = -2.0 }"), negative);
        let text = "epochs = 1\nloss = 'binary_crossentropy'\nclass_weight = 'even'";
        let error = toml::from_str::<Training>(text).unwrap_err();
        assert_eq!(error.message(), "class_weight is \"balanced\", or a table of classes and their weights");
    }

    #[test]
    fn balanced_weights_are_those_of_scikit_learn() {
        // compute_class_weight("balanced", classes=[0, 1, 3], y=[0, 0, 0, 0, 0, 1, 1, 3])
        let found = balanced(&[5, 2, 0, 1]);
        let golden = [0.533_333_333_333_333_3, 1.333_333_333_333_333_3, 2.666_666_666_666_666_5];
        for (found, golden) in [found[0], found[1], found[3]].into_iter().zip(golden) {
            assert!((found - golden).abs() < 1e-15, "{found}");
        }
    }
}
