//! Checks that every number of a run is finite: one that is not spreads to all weights within a few batches.

use anyhow::{Result, bail};

use super::{Epoch, Run};
use crate::layers::Kind;
use crate::loss::Loss;
use crate::net::Network;
use crate::tensor::Matrix;

impl Run {
    /// Rejects a run with a weight, a statistic or a moment of the optimizer that is not finite.
    pub fn check_finite(&self) -> Result<()> {
        check_network(&self.network)?;
        let layers = parameter_layers(&self.network);
        check_all("the optimizer's mean gradient", &self.moments.mean.iter().collect::<Vec<_>>(), &layers)?;
        check_all(
            "the optimizer's mean squared gradient",
            &self.moments.square.iter().collect::<Vec<_>>(),
            &layers,
        )
    }
}

/// Rejects a network with a weight or a statistic that is not finite; the error names the layer.
pub fn check_network(network: &Network<f32>) -> Result<()> {
    check_all("a weight", &network.parameters(), &parameter_layers(network))?;
    check_all("a moving statistic", &network.statistics(), &statistic_layers(network))?;
    for layer in network.all_layers() {
        if let Kind::Normalization(normalization) = &layer.kind {
            check_all("the mean of a feature", &[&normalization.mean], &[&layer.name])?;
            check_all("the variance of a feature", &[&normalization.variance], &[&layer.name])?;
        }
    }
    Ok(())
}

/// Rejects gradients that are not finite; the error names the layer.
pub(super) fn check_gradients(network: &Network<f32>, gradients: &[Matrix<f32>]) -> Result<()> {
    check_all("a gradient", &gradients.iter().collect::<Vec<_>>(), &parameter_layers(network))
}

/// Rejects a score that is not finite.
pub(super) fn check_score(name: &str, value: f64) -> Result<()> {
    if !value.is_finite() {
        bail!("{name} is {}", describe(value));
    }
    Ok(())
}

impl Epoch {
    /// Rejects scores that are not finite.
    pub fn check_finite(&self, loss: Loss) -> Result<()> {
        let scores = self.scores(loss);
        let named = |name| if name == "loss" { "the loss" } else { name };
        scores.into_iter().try_for_each(|(name, value)| check_score(named(name), value))
    }
}

/// Returns the name of the layer of every parameter, in the order of [`Network::parameters`].
fn parameter_layers(network: &Network<f32>) -> Vec<&str> {
    let counts = network.all_layers().map(|layer| (&layer.name, layer.kind.get().parameters().len()));
    counts.flat_map(|(name, count)| std::iter::repeat_n(name.as_str(), count)).collect()
}

/// Returns the name of the layer of every statistic, in the order of [`Network::statistics`].
fn statistic_layers(network: &Network<f32>) -> Vec<&str> {
    let counts = network.all_layers().map(|layer| (&layer.name, layer.kind.get().statistics().len()));
    counts.flat_map(|(name, count)| std::iter::repeat_n(name.as_str(), count)).collect()
}

/// Rejects matrices that are not finite; `layers` are the names of their layers.
fn check_all(matrix_name: &str, matrices: &[&Matrix<f32>], layers: &[&str]) -> Result<()> {
    for (matrix, layer) in matrices.iter().zip(layers) {
        if let Some(&value) = matrix.iter().find(|value| !value.is_finite()) {
            bail!("{matrix_name} of {layer} is {}", describe(value.into()));
        }
    }
    Ok(())
}

/// Describes a number that is not finite.
fn describe(value: f64) -> &'static str {
    if value.is_nan() { "NaN" } else { "infinite" }
}
