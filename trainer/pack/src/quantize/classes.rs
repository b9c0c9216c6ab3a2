//! The outputs of a classifier whose class changes by quantization.

use std::fmt;

use embedded_rnn_nn::activation::Activation;
use embedded_rnn_nn::evaluate::class_of;
use embedded_rnn_nn::layers::Kind;
use embedded_rnn_nn::loss::THRESHOLD;
use embedded_rnn_nn::net::Network;

use super::errors::Run;
use crate::meta::Meta;

/// The number of outputs that stand for another class than those of the float network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassChanges {
    /// The outputs of another class.
    pub changed: usize,
    /// All outputs.
    pub outputs: usize,
}

impl ClassChanges {
    /// Counts the changes in the outputs of a classifier: a network that ends in a softmax or a single
    /// sigmoid, or whose outputs have labels. Returns `None` for any other network.
    pub(super) fn count(network: &Network<f32>, meta: &Meta, runs: &[Run]) -> Option<Self> {
        let size = network.output_size();
        if !has_classes(network, meta) {
            return None;
        }
        let mut changes = Self { changed: 0, outputs: 0 };
        for run in runs {
            for (found, golden) in run.found.chunks_exact(size).zip(run.golden.chunks_exact(size)) {
                changes.outputs += 1;
                changes.changed += usize::from(class_of(found, THRESHOLD) != class_of(golden, THRESHOLD));
            }
        }
        Some(changes)
    }

    /// Returns the share of the outputs that stand for another class.
    pub fn share(&self) -> f64 {
        self.changed as f64 / self.outputs.max(1) as f64
    }
}

/// Returns `true` if each output of the network stands for a class.
fn has_classes(network: &Network<f32>, meta: &Meta) -> bool {
    let last = network.decoder.as_deref().unwrap_or(network).layers.last();
    let activation = match last.map(|layer| &layer.kind) {
        Some(Kind::Dense(layer)) => layer.activation,
        Some(Kind::Activation(layer)) => layer.function,
        _ => Activation::Linear,
    };
    match activation {
        Activation::Softmax | Activation::LogSoftmax => true,
        Activation::Sigmoid | Activation::HardSigmoid | Activation::HardSigmoidKeras1
            if network.output_size() == 1 =>
        {
            true
        }
        _ => meta.labels.len() > 1 && network.output_size() > 1,
    }
}

impl fmt::Display for ClassChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { changed, outputs } = self;
        write!(f, "the class differs from that of the f32 model in {changed} of {outputs} outputs")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Random;

    fn count(layers: &str, labels: usize, run: (&[f32], &[f32])) -> Option<(usize, usize)> {
        let (network, _) = Random { layers, input_size: 2, steps: 1, seed: 1 }.make().unwrap();
        let meta = Meta { labels: vec!["label".to_owned(); labels], ..Meta::default() };
        let run = Run { found: run.0.to_vec(), golden: run.1.to_vec() };
        ClassChanges::count(&network, &meta, &[run]).map(|changes| (changes.changed, changes.outputs))
    }

    #[test]
    fn classes_are_those_of_the_activation_or_of_labels() {
        let pairs: (&[f32], &[f32]) = (&[0.4, 0.6, 0.9, 0.1, 0.5, 0.2], &[0.6, 0.4, 0.8, 0.2, 0.7, 0.3]);
        let singles: (&[f32], &[f32]) = (&[0.4, 0.5, 0.9, 0.1], &[0.5, 0.6, 0.6, 0.6]);
        for (layers, labels, run, expected) in [
            ("{ type = 'Dense', units = 2, activation = 'softmax' }", 0, pairs, Some((1, 3))),
            (
                "{ type = 'LSTM', units = 2 }, { type = 'Activation', activation = 'log_softmax' }",
                0,
                pairs,
                Some((1, 3)),
            ),
            ("{ type = 'Dense', units = 1, activation = 'sigmoid' }", 0, singles, Some((2, 4))),
            ("{ type = 'GRU', units = 2 }", 2, pairs, Some((1, 3))),
            ("{ type = 'Dense', units = 2, activation = 'sigmoid' }", 0, pairs, None),
            ("{ type = 'Dense', units = 2 }", 0, pairs, None),
        ] {
            assert_eq!(count(layers, labels, run), expected, "{layers}");
        }
    }
}
