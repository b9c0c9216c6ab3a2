//! Training: epochs of shuffled batches, bit-identical for any number of threads.

mod checkpoint;
mod finite;
mod grouped;
mod history;
mod split;
mod watch;

pub use checkpoint::{Checkpoint, Identity};
pub use finite::check_network;
pub use history::{Epoch, History, Trained, csv};
pub use split::{Fold, Parts};
pub use watch::Watch;

use anyhow::{Context, Result, ensure};
use rand::seq::SliceRandom;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::config::Training;
use crate::data::{Dataset, pack};
use crate::initializers::{Purpose, stream};
use crate::loss::{Objective, Score};
use crate::net::{Network, RngSeed, ShardGradients};
use crate::optimizer::{Moments, global_norm};
use crate::tensor::Matrix;

use finite::{check_gradients, check_score};
use watch::reduced_rate;

/// The largest number of sequences in a shard, which one thread processes at a time. As sums of f32 depend on
/// where they are split, shards do not depend on the number of threads; wider shards repack the weights less
/// often.
const SHARD: usize = 32;

/// A network in training, with everything that the next epoch depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The seed of all random numbers.
    pub seed: u64,
    /// The network.
    pub network: Network<f32>,
    /// The state of the optimizer.
    pub moments: Moments<f32>,
    /// The completed epochs.
    pub history: History,
    /// The weights of the best epoch, if they are to become those of the model.
    pub best: Option<Weights>,
}

/// The weights after an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// The epoch, from 1 on.
    pub epoch: usize,
    parameters: Vec<Vec<f32>>,
    statistics: Vec<Vec<f32>>,
}

impl Run {
    /// Starts a run from a network.
    pub fn new(network: Network<f32>, seed: u64) -> Self {
        let moments = Moments::new(&network.parameters());
        Self { seed, network, moments, history: History::default(), best: None }
    }

    /// Adds a completed epoch to the history, and saves its weights if they are the best so far and may
    /// become those of the model.
    pub fn complete(&mut self, training: &Training, epoch: Epoch) {
        self.history.push(epoch);
        let restores = training.early_stopping.as_ref().is_some_and(|rules| rules.restore_best_weights);
        let epoch = self.history.len();
        if restores && self.watch(training).is_some_and(|watch| watch.best_epoch == epoch) {
            self.best = Some(Weights::of(&self.network, epoch));
        }
    }

    /// Returns the state of early stopping, if the config has it and an epoch is completed.
    pub fn watch(&self, training: &Training) -> Option<Watch> {
        let rules = training.early_stopping.as_ref()?;
        Watch::new(rules, training.loss, &self.history)
    }

    /// Returns `true` if no epoch is left.
    pub fn is_over(&self, training: &Training) -> bool {
        let stopped = self.watch(training).is_some_and(|watch| watch.stopped.is_some());
        stopped || self.history.len() >= training.epochs
    }

    /// Replaces the weights of the network by those of the best epoch, if they are saved.
    ///
    /// # Errors
    /// Saved weights of other shapes.
    pub fn restore_best(&mut self) -> Result<()> {
        self.best.as_ref().map_or(Ok(()), |best| best.restore(&mut self.network))
    }

    /// Trains on every sequence once, in batches. `made` is called after each batch, and its error ends the
    /// epoch.
    ///
    /// # Errors
    /// The error of `made`, or the batch, from 1 on, after which the loss, a gradient, a weight or the state
    /// of the optimizer is not finite. The run cannot go on from there.
    pub fn epoch(
        &mut self,
        training: &Training,
        data: &Dataset,
        made: &dyn Fn() -> Result<()>,
    ) -> Result<Trained> {
        let mut order: Vec<usize> = (0..data.sequences.len()).collect();
        order.shuffle(&mut stream(self.seed, Purpose::Shuffle, self.history.len() as u64));
        let all = batches(data, training).saturating_mul(training.epochs as u64);
        let reduced = training
            .reduce_lr_on_plateau
            .as_ref()
            .map(|rules| reduced_rate(rules, training.loss, &self.history, training.initial_rate()));
        let (mut score, mut norms, mut rate) = (Score::default(), 0.0, training.initial_rate());
        for (number, batch) in order.chunks(training.batch_size).enumerate() {
            rate = reduced.unwrap_or_else(|| training.rate(self.moments.updates, all));
            let update = self.update(training, data, batch, rate);
            let (part, norm) = update.with_context(|| format!("batch {}", number + 1))?;
            (score, norms) = (score.plus(part), norms + norm);
            made()?;
        }
        let gradient_norm = norms / batches(data, training).max(1) as f64;
        Ok(Trained { score, learning_rate: rate, gradient_norm })
    }

    /// Updates the network once, by the gradients of a batch. Returns the score of the batch and the norm of
    /// all gradients together.
    fn update(
        &mut self,
        training: &Training,
        data: &Dataset,
        batch: &[usize],
        rate: f64,
    ) -> Result<(Score, f64)> {
        let found = self.gradients(&training.objective(), data, batch);
        let ShardGradients { parameters: mut gradients, statistics, score } = found;
        check_score("the loss", score.loss)?;
        let norm = global_norm(&gradients);
        // A sum of squares is finite only if all gradients are.
        if !norm.is_finite() {
            check_gradients(&self.network, &gradients)?;
        }
        training.clipping().apply(&mut gradients);
        let parameters = self.network.parameters_mut();
        training.update().apply(&mut self.moments, parameters, &gradients, rate);
        let moved = self.network.statistics_mut().into_iter().zip(statistics);
        moved.for_each(|(statistic, value)| *statistic = value);
        self.check_finite()?;
        Ok((score, norm))
    }

    /// Computes the gradients of the mean loss of a batch: shards in parallel, added in their order.
    fn gradients(&self, objective: &Objective, data: &Dataset, batch: &[usize]) -> ShardGradients<f32> {
        let columns = batch.iter().map(|&s| data.target_count(s)).sum();
        // Statistics are those of the batch as a whole.
        let whole = !self.network.statistics().is_empty();
        let shards = if whole { vec![batch.to_vec()] } else { shards(data, batch) };
        let found: Vec<_> = shards
            .par_iter()
            .enumerate()
            .map(|(number, shard)| {
                let shard = pack(data, shard);
                let rng_seed =
                    RngSeed { seed: self.seed, update: self.moments.updates, shard: number as u32, layer: 0 };
                self.network.gradients(&shard, objective, columns, rng_seed)
            })
            .collect();
        found.into_iter().reduce(add).expect("a batch has sequences")
    }
}

impl Weights {
    /// Copies the weights and statistics of a network.
    fn of(network: &Network<f32>, epoch: usize) -> Self {
        Self { epoch, parameters: values(&network.parameters()), statistics: values(&network.statistics()) }
    }

    fn restore(&self, network: &mut Network<f32>) -> Result<()> {
        restore(network.parameters_mut(), &self.parameters)?;
        restore(network.statistics_mut(), &self.statistics)
    }
}

/// Copies the values of matrices.
fn values(matrices: &[&Matrix<f32>]) -> Vec<Vec<f32>> {
    matrices.iter().map(|matrix| matrix.as_slice().to_vec()).collect()
}

/// Replaces the values of matrices.
///
/// # Errors
/// Values of other shapes.
fn restore(matrices: Vec<&mut Matrix<f32>>, values: &[Vec<f32>]) -> Result<()> {
    let fits = matrices.len() == values.len() && matrices.iter().zip(values).all(|(m, v)| m.len() == v.len());
    ensure!(fits, "its parameters have other shapes");
    matrices
        .into_iter()
        .zip(values)
        .for_each(|(matrix, values)| matrix.as_mut_slice().copy_from_slice(values));
    Ok(())
}

/// Returns the number of updates per epoch.
pub fn batches(data: &Dataset, training: &Training) -> u64 {
    data.sequences.len().div_ceil(training.batch_size) as u64
}

/// Scores a network on data that it is not trained on.
pub fn validate(network: &Network<f32>, objective: &Objective, data: &Dataset) -> Score {
    let order: Vec<usize> = (0..data.sequences.len()).collect();
    let found: Vec<Score> = order
        .par_chunks(SHARD)
        .map(|shard| {
            let shard = pack(data, shard);
            shard.score(objective, &network.output(&shard))
        })
        .collect();
    found.into_iter().fold(Score::default(), Score::plus)
}

fn add(mut sum: ShardGradients<f32>, other: ShardGradients<f32>) -> ShardGradients<f32> {
    let pairs = sum.parameters.iter_mut().zip(&other.parameters);
    pairs.for_each(|(sum, part): (&mut Matrix<f32>, _)| *sum += part);
    sum.score = sum.score.plus(other.score);
    sum
}

/// Splits a batch into shards of about equal cost: sequences are dealt out in turn, longest first.
fn shards(data: &Dataset, batch: &[usize]) -> Vec<Vec<usize>> {
    let mut sorted = batch.to_vec();
    sorted.sort_by_key(|&s| std::cmp::Reverse(data.sequences.steps(s)));
    // At least two, so that small batches use two threads.
    let count = batch.len().div_ceil(SHARD).max(2).min(batch.len());
    (0..count).map(|k| sorted.iter().skip(k).step_by(count).copied().collect()).collect()
}

#[cfg(test)]
mod tests;
