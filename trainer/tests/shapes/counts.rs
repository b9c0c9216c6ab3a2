//! The counts of `inspect`, compared with the networks and with formulas.

use embedded_rnn_trainer::layers::{Kind, NAMES};
use embedded_rnn_trainer::net::Network;
use embedded_rnn_trainer::session::Session;
use embedded_rnn_trainer::summary::Summary;

use crate::models::{FILES, encoder_decoder, folder, random};

fn summaries(net: &(Network<f32>, Vec<f32>)) -> [Summary; 3] {
    let folder = folder(net, &[]);
    FILES.map(|name| Summary::of(&Session::read(&folder.path().join(name)).unwrap()))
}

fn trained(network: &Network<f32>) -> u64 {
    network.parameters().iter().map(|parameter| parameter.len() as u64).sum()
}

/// Layers over five features, with their multiply-accumulates.
const LAYERS: &[(&str, u64)] = &[
    ("{ type = 'SimpleRNN', units = 7 }", 7 * (5 + 7)),
    ("{ type = 'SimpleRNN', units = 7, activation = 'relu' }", 7 * (5 + 7)),
    ("{ type = 'LSTM', units = 7 }", 4 * 7 * (5 + 7)),
    ("{ type = 'LSTM', units = 7, recurrent_activation = 'hard_sigmoid' }", 4 * 7 * (5 + 7)),
    ("{ type = 'GRU', units = 7 }", 3 * 7 * (5 + 7)),
    ("{ type = 'GRU', units = 7, reset_after = false }", 3 * 7 * (5 + 7)),
    ("{ type = 'Bidirectional', layer = { type = 'LSTM', units = 7 } }", 2 * 4 * 7 * (5 + 7)),
    (
        "{ type = 'Bidirectional', merge_mode = 'mul', layer = { type = 'GRU', units = 7 } }",
        2 * 3 * 7 * (5 + 7),
    ),
    (
        "{ type = 'Bidirectional', merge_mode = 'ave', layer = { type = 'SimpleRNN', units = 7 } }",
        2 * 7 * (5 + 7),
    ),
    ("{ type = 'LSTM', units = 5 }, { type = 'Dense', units = 7 }", 4 * 5 * 10 + 5 * 7),
    (
        "{ type = 'LSTM', units = 5 }, { type = 'Dropout', rate = 0.5 }, { type = 'Dense', units = 7 }",
        4 * 5 * 10 + 5 * 7,
    ),
    ("{ type = 'LSTM', units = 5 }, { type = 'BatchNormalization' }", 4 * 5 * 10 + 5),
    ("{ type = 'LSTM', units = 5 }, { type = 'LayerNormalization' }", 4 * 5 * 10 + 5),
    ("{ type = 'LSTM', units = 5 }, { type = 'Activation', activation = 'gelu' }", 4 * 5 * 10),
    (
        "{ type = 'GRU', units = 7, return_sequences = true }, { type = 'GlobalMaxPooling1D' }",
        3 * 7 * (5 + 7),
    ),
    (
        "{ type = 'GRU', units = 7, return_sequences = true }, { type = 'GlobalAveragePooling1D' }",
        3 * 7 * (5 + 7),
    ),
    ("{ type = 'GRU', units = 5, return_sequences = true }, { type = 'Add' }", 3 * 5 * (5 + 5)),
    ("{ type = 'Masking' }, { type = 'GRU', units = 7 }", 3 * 7 * (5 + 7)),
    ("{ type = 'Normalization' }, { type = 'GRU', units = 7 }", 5 + 3 * 7 * (5 + 7)),
    // The Normalization runs once per direction.
    (
        "{ type = 'Normalization' }, { type = 'Bidirectional', layer = { type = 'GRU', units = 7 } }",
        2 * 5 + 2 * 3 * 7 * (5 + 7),
    ),
];

/// Checks that [`LAYERS`] has every type of layer; an Embedding is counted on its own.
#[test]
fn every_layer_is_counted() {
    for name in NAMES.iter().filter(|name| **name != "Embedding") {
        let key = format!("type = '{name}'");
        assert!(LAYERS.iter().any(|(layers, _)| layers.contains(&key)), "{name}");
    }
}

#[test]
fn parameters_and_macs_are_those_of_the_network() {
    for &(layers, macs) in LAYERS {
        let net = random(layers, 5, 3);
        let [float, half, int] = summaries(&net);
        for found in [&float, &half, &int] {
            assert_eq!(found.parameters, trained(&net.0), "{layers}, {}", found.dtype);
        }
        assert_eq!((float.macs_per_step, half.macs_per_step), (macs, macs), "{layers}");
        // An integer model without a Normalization has an input layer that converts real inputs.
        let has_input_layer =
            matches!(net.0.layers[0].kind, Kind::Normalization(_)) || layers.contains("Normalization' }, {");
        let directions = if layers.contains("'Bidirectional'") { 2 } else { 1 };
        assert_eq!(int.macs_per_step, macs + if has_input_layer { 0 } else { 5 * directions }, "{layers}");
    }
}

#[test]
fn embeddings_and_decoders_are_counted() {
    let embedding = "{ type = 'Embedding', input_dim = 11, output_dim = 5 }, { type = 'GRU', units = 7 }";
    for (net, macs) in [
        (random(embedding, 1, 3), 3 * 7 * (5 + 7)),
        (encoder_decoder(true, 3), 2 * 3 * 6 * (3 + 6) + 5 * 6),
        (encoder_decoder(false, 3), 3 * 6 * (2 + 6) + 3 * 6 * (3 + 6) + 5 * 6),
    ] {
        for found in summaries(&net) {
            assert_eq!(found.parameters, trained(&net.0), "{:?}", found.layers);
            let input_stage = if found.dtype == "i8" && found.input_ids.is_none() { 2 } else { 0 };
            assert_eq!(found.macs_per_step, macs + input_stage, "{:?}", found.layers);
        }
    }
}

/// A file contains zeros for the biases of a layer without biases, and they are counted.
#[test]
fn missing_biases_are_counted_as_zeros() {
    for (layers, zeros) in [
        ("{ type = 'LSTM', units = 7, use_bias = false }", 4 * 7),
        ("{ type = 'GRU', units = 7, use_bias = false }", 2 * 3 * 7),
        ("{ type = 'GRU', units = 7, use_bias = false, reset_after = false }", 3 * 7),
        ("{ type = 'SimpleRNN', units = 7, use_bias = false }", 7),
        ("{ type = 'LSTM', units = 5 }, { type = 'Dense', units = 7, use_bias = false }", 7),
    ] {
        let net = random(layers, 5, 3);
        for found in summaries(&net) {
            assert_eq!(found.parameters, trained(&net.0) + zeros, "{layers}");
        }
    }
}

/// A BatchNormalization that is folded into another layer has no parameters in the file.
#[test]
fn folded_normalizations_are_not_counted() {
    for (layers, folded) in [
        (
            "{ type = 'LSTM', units = 7 }, { type = 'BatchNormalization' }, { type = 'Dense', units = 2 }",
            2 * 7,
        ),
        (
            "{ type = 'LSTM', units = 5 }, { type = 'Dense', units = 7 }, { type = 'BatchNormalization' }",
            2 * 7,
        ),
    ] {
        let mut net = random(layers, 5, 3);
        for layer in net.0.all_layers_mut() {
            if let Kind::BatchNormalization(layer) = &mut layer.kind {
                // Factors that spread no row.
                layer.gamma.fill(1.0);
                layer.moving_variance.fill(1.0);
            }
        }
        for found in summaries(&net) {
            assert_eq!(found.parameters, trained(&net.0) - folded, "{layers}");
        }
    }
}
