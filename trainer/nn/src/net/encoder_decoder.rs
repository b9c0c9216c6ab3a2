//! An encoder and a decoder: the recurrent layers of the decoder start from the final states of those of the
//! encoder.
//!
//! ```text
//! source -> encoder -> final states -> decoder <- 0, y1, ..., yn
//!                                         |
//!                                         +-> probabilities of y1, ..., yn, 0
//! ```
//! Class 0 marks start and end. Training uses teacher forcing: the input of the decoder at each time step is
//! the previous target class.

use super::{Network, RngSeed, ShardGradients, States};
use crate::data::{Batch, TeacherForced};
use crate::layers::ForwardCache;
use crate::loss::{LossGradient, Objective};
use crate::packed::PackedSequence;
use crate::tensor::{Matrix, Real};

/// An encoder-decoder and a batch for it.
pub(super) struct Pair<'a, T: Real> {
    encoder: &'a Network<T>,
    decoder: &'a Network<T>,
    source: &'a PackedSequence<T>,
    teacher_forced: &'a TeacherForced<T>,
}

/// The caches of both chains.
struct Caches<T: Real> {
    encoder: Vec<ForwardCache<T>>,
    decoder: Vec<ForwardCache<T>>,
}

/// Assigns the states of the recurrent layers of one chain to those of another, in order; sequence `from[k]`
/// there becomes sequence `k` here. The same function carries the gradients back.
fn copy_state_to_decoder<T: Real>(states: States<T>, from: &[usize], to: &Network<T>) -> States<T> {
    let mut sources = states.into_iter().filter(|own| !own.is_empty());
    let mut next = || sources.next().unwrap_or_default().iter().map(|s| s.select_columns(from)).collect();
    let has_states = to.layers.iter().map(|layer| !layer.kind.get().states().is_empty());
    has_states.map(|has| if has { next() } else { Vec::new() }).collect()
}

/// Returns the permutation that undoes `order`.
fn inverse(order: &[usize]) -> Vec<usize> {
    let mut inverse = vec![0; order.len()];
    order.iter().enumerate().for_each(|(k, &from)| inverse[from] = k);
    inverse
}

impl<T: Real> Network<T> {
    /// Returns the two chains with their inputs, if there is a decoder.
    pub(super) fn pair<'a>(&'a self, batch: &'a Batch<T>) -> Option<Pair<'a, T>> {
        let (decoder, teacher_forced) = (self.decoder.as_deref()?, batch.teacher_forced.as_ref()?);
        Some(Pair { encoder: self, decoder, source: &batch.input, teacher_forced })
    }
}

impl<T: Real> Pair<'_, T> {
    fn forward_caches(&self, rng_seed: Option<RngSeed>) -> Caches<T> {
        let encoder = self.encoder.forward_caches(self.source, &States::new(), rng_seed);
        let states = self.encoder.final_states(self.source, &encoder);
        let initial = copy_state_to_decoder(states, &self.teacher_forced.order, self.decoder);
        let before = self.encoder.layers.len() as u32;
        let rng_seed = rng_seed.map(|rng_seed| RngSeed { layer: rng_seed.layer + before, ..rng_seed });
        Caches {
            encoder,
            decoder: self.decoder.forward_caches(&self.teacher_forced.input, &initial, rng_seed),
        }
    }

    /// Returns the output of the decoder, `[out x columns]`.
    pub(super) fn output(&self) -> Matrix<T> {
        let caches = self.forward_caches(None).decoder;
        caches.into_iter().next_back().expect("a decoder has layers").output.values
    }

    /// Computes [`Network::gradients`] of both chains, the encoder's first.
    pub(super) fn gradients(
        &self,
        batch: &Batch<T>,
        objective: &Objective,
        columns: usize,
        rng_seed: RngSeed,
    ) -> ShardGradients<T> {
        let Caches { encoder, decoder } = self.forward_caches(Some(rng_seed));
        let output = &decoder.last().expect("a decoder has layers").output.values;
        let (score, arriving) = (batch.score(objective, output), batch.gradient(objective, output, columns));
        let back = self.decoder.back(&self.teacher_forced.input, &decoder, arriving, &States::new(), 0);
        let d_initial = back.iter().map(|gradients| gradients.initial.clone()).collect();
        let d_final = copy_state_to_decoder(d_initial, &inverse(&self.teacher_forced.order), self.encoder);
        // Only the states of the encoder are used.
        let unused = &encoder.last().expect("an encoder has layers").output.values;
        let arriving = LossGradient::Output(Matrix::zeros(unused.nrows(), unused.ncols()));
        let first = self.encoder.first_trained();
        let mut found = self.encoder.back(self.source, &encoder, arriving, &d_final, first);
        found.extend(back);
        ShardGradients::new(found, encoder.into_iter().chain(decoder).collect(), score)
    }
}

#[cfg(test)]
mod tests;
