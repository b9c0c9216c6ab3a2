//! Two chains of layers: what the recurrent layers of the first remember is what those of the second start from.
//!
//! ```text
//! source -> encoder -> final states -> decoder <- 0, y1, ..., yn
//!                                         |
//!                                         +-> probabilities of y1, ..., yn, 0
//! ```
//! Class 0 is start and end. In training the decoder is told at each step what should have come before (teacher forcing).

use super::{Network, RngSeed, ShardGradients, States};
use crate::data::{Batch, TeacherForced};
use crate::layers::ForwardCache;
use crate::loss::{BatchTargets, LossGradient};
use crate::packed::PackedSequence;
use crate::tensor::{Matrix, Real};

/// An encoder-decoder and a batch for it.
pub(super) struct Pair<'a, T: Real> {
    encoder: &'a Network<T>,
    decoder: &'a Network<T>,
    source: &'a PackedSequence<T>,
    teacher_forced: &'a TeacherForced<T>,
}

/// What both chains did.
struct Caches<T: Real> {
    encoder: Vec<ForwardCache<T>>,
    decoder: Vec<ForwardCache<T>>,
}

/// Gives the states of the recurrent layers of one chain to those of another, first to first, sequence `from[k]` there
/// becoming sequence `k` here. By way of it gradients come back.
fn copy_state_to_decoder<T: Real>(states: States<T>, from: &[usize], to: &Network<T>) -> States<T> {
    let mut given = states.into_iter().filter(|own| !own.is_empty());
    let mut take = || given.next().unwrap_or_default().iter().map(|s| s.select_columns(from)).collect();
    let has_states = to.layers.iter().map(|layer| !layer.kind.get().states().is_empty());
    has_states.map(|has| if has { take() } else { Vec::new() }).collect()
}

/// The permutation that undoes `order`.
fn inverse(order: &[usize]) -> Vec<usize> {
    let mut inverse = vec![0; order.len()];
    order.iter().enumerate().for_each(|(k, &from)| inverse[from] = k);
    inverse
}

impl<T: Real> Network<T> {
    /// The two chains and what each is to be given, if there are two.
    pub(super) fn pair<'a>(&'a self, batch: &'a Batch<T>) -> Option<Pair<'a, T>> {
        let (decoder, teacher_forced) = (self.decoder.as_deref()?, batch.teacher_forced.as_ref()?);
        Some(Pair { encoder: self, decoder, source: &batch.input, teacher_forced })
    }
}

impl<T: Real> Pair<'_, T> {
    fn forward_caches(&self, draw: Option<RngSeed>) -> Caches<T> {
        let encoder = self.encoder.forward_caches(self.source, &States::new(), draw);
        let states = self.encoder.final_states(self.source, &encoder);
        let initial = copy_state_to_decoder(states, &self.teacher_forced.order, self.decoder);
        let before = self.encoder.layers.len() as u32;
        let draw = draw.map(|draw| RngSeed { layer: draw.layer + before, ..draw });
        Caches { encoder, decoder: self.decoder.forward_caches(&self.teacher_forced.input, &initial, draw) }
    }

    /// What the decoder gives, `[out x columns]`.
    pub(super) fn output(&self) -> Matrix<T> {
        let caches = self.forward_caches(None).decoder;
        caches.into_iter().next_back().expect("a decoder has layers").output.values
    }

    /// [`Network::gradients`] of both chains, the encoder's first.
    pub(super) fn gradients(
        &self,
        targets: &BatchTargets<T>,
        columns: usize,
        draw: RngSeed,
    ) -> ShardGradients<T> {
        let Caches { encoder, decoder } = self.forward_caches(Some(draw));
        let output = &decoder.last().expect("a decoder has layers").output.values;
        let (score, arriving) = (targets.score(output), targets.gradient(output, columns));
        let back = self.decoder.back(&self.teacher_forced.input, &decoder, arriving, &States::new(), 0);
        let d_initial = back.iter().map(|gradients| gradients.initial.clone()).collect();
        let d_final = copy_state_to_decoder(d_initial, &inverse(&self.teacher_forced.order), self.encoder);
        // Nothing but its states leaves the encoder.
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
