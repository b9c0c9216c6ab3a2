//! Folding: from a trained network to an equal network with fewer layers.
//!
//! - Layers of training alone (Dropout) are removed.
//! - A BatchNormalization is folded into the weights of an adjacent layer where that is exact: `y = scale * x
//!   + offset` before a layer, `W (scale * x + offset) + b = (W diag(scale)) x + (W offset + b)`.
//! - An Activation after a linear Dense becomes the activation of that Dense.

use embedded_rnn_nn::layers::{FoldRole, Layer};
use embedded_rnn_nn::net::Network;

/// Returns a network that computes the same function with the layers of a model file.
pub fn folded(network: &Network<f32>) -> Network<f32> {
    Network {
        input_size: network.input_size,
        layers: folded_chain(&network.layers),
        decoder: network.decoder.as_ref().map(|decoder| Box::new(folded(decoder))),
    }
}

fn folded_chain(layers: &[Layer<f32>]) -> Vec<Layer<f32>> {
    let mut folded: Vec<Layer<f32>> = Vec::new();
    for mut layer in layers.iter().cloned() {
        let role = layer.kind.fold_role();
        if role == FoldRole::TrainingOnly {
            continue;
        }
        let before = folded.last().map_or(FoldRole::Other, |before| before.kind.fold_role());
        if let FoldRole::Affine { scale, offset } = &before
            && layer.kind.absorb_before(scale, offset)
        {
            folded.pop();
            folded.push(layer);
        } else if !folded.last_mut().is_some_and(|before| before.kind.absorb_after(&role)) {
            folded.push(layer);
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use embedded_rnn_nn::layers::NAMES;

    const NORMALIZED: &str = "{ type = 'BatchNormalization' }";

    /// Asserts that the folded network of these layers is the same function, and returns its number of
    /// layers.
    fn assert_folds(layers: &str, input_size: usize) -> usize {
        let (network, frames) = Random { layers, input_size, steps: 9, seed: 3 }.make().unwrap();
        let folded = folded(&network);
        for (a, b) in network.predict(&frames).iter().zip(folded.predict(&frames)) {
            assert!((a - b).abs() < 1e-6, "{layers}: {a}, folded {b}");
        }
        folded.layers.len()
    }

    /// Covers every place where a BatchNormalization can be folded, and one where it cannot.
    #[test]
    fn a_folded_network_is_the_same_function() {
        for (before, after, left) in [
            ("", "{ type = 'LSTM', units = 3 }", 1),
            (
                "{ type = 'GRU', units = 3, return_sequences = true },",
                "{ type = 'GRU', units = 2, reset_after = false }",
                2,
            ),
            (
                "{ type = 'SimpleRNN', units = 4 }, { type = 'Dropout', rate = 0.5 },",
                "{ type = 'Dense', units = 2, use_bias = false }",
                2,
            ),
            ("{ type = 'LSTM', units = 3 }, { type = 'Dense', units = 4 },", "", 2),
            ("{ type = 'LSTM', units = 3 },", "", 2),
            ("{ type = 'Dense', units = 3 },", "{ type = 'Activation', activation = 'gelu' }", 1),
            (
                "{ type = 'LSTM', units = 3, return_sequences = true },",
                "{ type = 'Bidirectional', layer = { type = 'GRU', units = 2 } }",
                2,
            ),
        ] {
            let layers = format!("{before} {NORMALIZED}, {after}");
            assert_eq!(assert_folds(&layers, 2), left, "{layers}");
        }
    }

    /// Covers a BatchNormalization before and after a layer of every type; a first layer has only one after
    /// it.
    #[test]
    fn every_layer_folds_to_the_same_function() {
        for &name in NAMES {
            let (options, first) = match name {
                "SimpleRNN" | "LSTM" | "GRU" => (", units = 3, return_sequences = true", false),
                "Bidirectional" => (", layer = { type = 'GRU', units = 2, return_sequences = true }", false),
                "Dense" => (", units = 3", false),
                "Activation" => (", activation = 'gelu'", false),
                "Dropout" => (", rate = 0.5", false),
                "BatchNormalization" | "LayerNormalization" => ("", false),
                "Normalization" | "Masking" => ("", true),
                "Embedding" => (", input_dim = 5, output_dim = 3", true),
                _ => panic!("no options for {name}"),
            };
            let before = if first { String::new() } else { format!("{NORMALIZED}, ") };
            let layers = format!("{before}{{ type = '{name}'{options} }}, {NORMALIZED}");
            assert_folds(&layers, if name == "Embedding" { 1 } else { 2 });
        }
    }
}
