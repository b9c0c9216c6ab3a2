//! Norms of the gradients per time step, which show whether gradients vanish or explode.
//!
//! Backpropagation through time multiplies the gradient of `h` by the transposed Jacobian of a time step,
//! once per step back:
//!
//! ```text
//! dL/dh[t-1] = J[t]^T dL/dh[t] + (what reaches h[t-1] from the layers above)
//! ```
//! For a SimpleRNN, `J = diag(act'(a)) U`: with the slope of the sigmoid, at most 1/4, and an orthogonal `U`
//! every step takes at least three quarters of the gradient; with that of tanh, at most 1, it may stay.

use super::{Network, RngSeed, States};
use crate::data::Batch;
use crate::loss::Objective;
use crate::tensor::Real;

/// The gradient norms of a recurrent layer, or of one direction of a bidirectional layer.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientNorms {
    /// The name of the layer, with `/forward` or `/backward` for a direction.
    pub name: String,
    /// The Euclidean norm per time step of `dL/dh`, of the sequences that have this step together, where `L`
    /// is the mean loss of the batch and `h` the output after the step. The steps are in the order of
    /// computation: a layer that runs backwards has the last frame first.
    pub per_step: Vec<f64>,
}

impl<T: Real> Network<T> {
    /// Returns the gradient norms of every recurrent layer, first to last, for a batch in training; `None`
    /// for an encoder-decoder.
    pub fn gradient_norms(
        &self,
        batch: &Batch<T>,
        objective: &Objective,
        rng_seed: RngSeed,
    ) -> Option<Vec<GradientNorms>> {
        if self.decoder.is_some() {
            return None;
        }
        let caches = self.forward_caches(&batch.input, &States::new(), Some(rng_seed));
        let output = &caches.last()?.output.values;
        let arriving = batch.gradient(objective, output, output.ncols());
        let found = self.back(&batch.input, &caches, arriving, &States::new(), 0);
        let inputs = std::iter::once(&batch.input).chain(caches.iter().map(|cache| &cache.output));
        let mut all = Vec::new();
        for ((layer, input), gradients) in self.layers.iter().zip(inputs).zip(&found) {
            let suffixes: &[&str] = if gradients.h.len() == 2 { &["/forward", "/backward"] } else { &[""] };
            for (d_h, suffix) in gradients.h.iter().zip(suffixes) {
                let norm = |t| norm(d_h.columns_range(input.steps.state_after(t)).iter());
                let per_step = (0..input.steps.len()).map(norm).collect();
                all.push(GradientNorms { name: format!("{}{suffix}", layer.name), per_step });
            }
        }
        Some(all)
    }
}

fn norm<'a, T: Real>(values: impl Iterator<Item = &'a T>) -> f64 {
    values.map(|value| value.to_f64().powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests;
