use super::*;
use crate::random::Random;
use crate::session::{RunMode, Session};
use crate::{Meta, read_float, write_float};
use embedded_rnn::F32;
use embedded_rnn_nn::layers::{BatchNormalization, NAMES};
use embedded_rnn_nn::tensor::Matrix;
use std::path::Path;

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

/// Covers every place where a BatchNormalization can be folded, those of the inputs, and one at the end.
#[test]
fn a_folded_network_is_the_same_function() {
    for (before, after, left) in [
        ("", "{ type = 'LSTM', units = 3 }", 2),
        ("{ type = 'Masking' }, { type = 'Dropout', rate = 0.5 },", "{ type = 'LSTM', units = 3 }", 3),
        ("{ type = 'BatchNormalization' },", "{ type = 'LSTM', units = 3 }", 2),
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
            "BatchNormalization"
            | "LayerNormalization"
            | "GlobalMaxPooling1D"
            | "GlobalAveragePooling1D"
            | "Add" => ("", false),
            "Normalization" | "Masking" => ("", true),
            "Embedding" => (", input_dim = 5, output_dim = 3", true),
            _ => panic!("no options for {name}"),
        };
        let before = if first { String::new() } else { format!("{NORMALIZED}, ") };
        let layers = format!("{before}{{ type = '{name}'{options} }}, {NORMALIZED}");
        assert_folds(&layers, if name == "Embedding" { 1 } else { 2 });
    }
}

/// Returns a column of one value per feature.
fn column(values: &[f32]) -> Matrix<f32> {
    Matrix::from_column_slice(values.len(), 1, values)
}

/// Makes the random network of three features whose layer `at` is this normalization.
fn with_normalization(layers: &str, at: usize, affine: BatchNormalization<f32>) -> (Network<f32>, Vec<f32>) {
    let (mut network, frames) = Random { layers, input_size: 3, steps: 40, seed: 5 }.make().unwrap();
    network.layers[at].kind = Kind::BatchNormalization(affine);
    (network, frames)
}

/// Inside a network, a normalization that spreads the rows of the next layer remains a layer, except behind a
/// linear Dense, whose rows it scales as a whole.
#[test]
fn a_normalization_that_spreads_rows_remains() {
    let rows = |before: &str| {
        format!("{before}, {NORMALIZED}, {{ type = 'GRU', units = 2 }}, {{ type = 'Dense', units = 2 }}")
    };
    let cell = rows("{ type = 'LSTM', units = 3, return_sequences = true }");
    let dense = rows("{ type = 'Dense', units = 3 }");
    for (layers, scale, offset, left) in [
        (&cell, [1.0, 2.0, -3.9], [0.0; 3], 3),
        (&cell, [100.0, 0.0, 200.0], [0.5, 0.0, -0.5], 3),
        (&cell, [1.0, 2.0, 4.1], [0.0; 3], 4),
        (&cell, [1.0; 3], [0.0, 0.0, -3.1], 4),
        (&dense, [1.0, 200.0, -4.1], [0.0, 0.0, 20.0], 3),
    ] {
        let affine = BatchNormalization::affine(column(&scale), column(&offset));
        let (network, frames) = with_normalization(layers, 1, affine);
        let folded = folded(&network);
        assert_eq!(folded.layers.len(), left, "{layers} {scale:?} {offset:?}");
        for (a, b) in network.predict(&frames).iter().zip(folded.predict(&frames)) {
            assert!((a - b).abs() < 2e-6, "{layers} {scale:?}: {a}, folded {b}");
        }
    }
}

/// Returns normalizations of pressures, angles and constants, all with the same statistics.
fn of_pressure() -> Vec<(&'static str, Vec<Kind<f32>>)> {
    let (mean, deviation) = ([101_325.0, -0.5, 3.0], [5.0f32, 0.3, 0.0]);
    let (one, zero) = ([1.0; 3], [0.0; 3]);
    let affine = |scale: &[f32], offset: &[f32]| {
        Kind::BatchNormalization(BatchNormalization::affine(column(scale), column(offset)))
    };
    let batch = BatchNormalization {
        gamma: column(&[0.7, -1.2, 1.0]),
        beta: column(&[0.4, 0.1, -2.0]),
        moving_mean: column(&mean),
        moving_variance: column(&deviation.map(|deviation| deviation * deviation)),
        ..BatchNormalization::affine(column(&one), column(&zero))
    };
    let normalization = embedded_rnn_nn::layers::Normalization {
        mean: column(&mean),
        variance: batch.moving_variance.clone(),
    };
    vec![
        ("BatchNormalization", vec![Kind::BatchNormalization(BatchNormalization { epsilon: 1e-3, ..batch })]),
        ("Normalization", vec![Kind::Normalization(normalization)]),
        (
            "Sub, Div",
            vec![
                affine(&one, &mean.map(|mean| -mean)),
                affine(&deviation.map(|deviation| 1.0 / deviation.max(1.0)), &zero),
            ],
        ),
    ]
}

/// Compares model files with binary64, where the rounding errors of the folded offsets are 0.001. The worst
/// difference is 5.9e-7.
#[test]
fn inputs_with_a_mean_far_above_their_deviation_keep_their_digits() {
    for next in
        ["{ type = 'LSTM', units = 4 }", "{ type = 'LayerNormalization' }", "{ type = 'Dense', units = 2 }"]
    {
        for (masking, (name, normalizations)) in ["", "{ type = 'Masking', mask_value = 7 },"]
            .into_iter()
            .flat_map(|m| of_pressure().into_iter().map(move |n| (m, n)))
        {
            let layers = format!("{masking} {next}");
            let (mut network, mut frames) =
                Random { layers: &layers, input_size: 3, steps: 40, seed: 5 }.make().unwrap();
            for frame in frames.chunks_exact_mut(3) {
                frame.copy_from_slice(&[101_325.0 + 8.0 * frame[0], frame[1], 3.0]);
            }
            let at = network.layers.len() - 1;
            let named = normalizations.into_iter().enumerate();
            let named = named.map(|(k, kind)| Layer { name: format!("normalization_{k}"), kind });
            network.layers.splice(at..at, named);
            let wide: Vec<f64> = frames.iter().map(|&x| x.into()).collect();
            let expected = network.cast::<f64>().predict(&wide);
            let bytes = write_float::<F32>(&network, &Meta::default(), &frames).unwrap();
            let session = Session::new(Path::new("model"), &bytes).unwrap();
            let found = session.predict(&frames, RunMode::Sequence).unwrap();
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                let difference = (f64::from(*found) - expected).abs();
                assert!(difference < 1e-6, "{name}, {layers}: {found}, in binary64 {expected}");
            }
        }
    }
}

/// `quantize` reads a network from its file, and folds it again.
#[test]
fn a_network_from_a_file_is_folded_already() {
    for (name, normalizations) in of_pressure() {
        let layers = "{ type = 'GRU', units = 3, return_sequences = true }, { type = 'BatchNormalization' }, \
                      { type = 'LSTM', units = 2 }";
        let (mut network, frames) = Random { layers, input_size: 3, steps: 40, seed: 5 }.make().unwrap();
        let named = normalizations.into_iter().enumerate();
        let named = named.map(|(k, kind)| Layer { name: format!("normalization_{k}"), kind });
        network.layers.splice(0..0, named);
        let bytes = write_float::<F32>(&network, &Meta::default(), &frames).unwrap();
        let (read, _) = read_float::<F32>(&bytes).unwrap();
        assert_eq!(folded(&read), read, "{name}");
        assert_eq!(write_float::<F32>(&read, &Meta::default(), &frames).unwrap(), bytes, "{name}");
    }
}

/// Nothing is folded into or out of a layer whose output a residual connection reads.
#[test]
fn residual_connections_read_the_same_values() {
    let cell = "{ type = 'GRU', units = 3, return_sequences = true }, { type = 'Dropout', rate = 0.5 }";
    let tanh = "{ type = 'Activation', activation = 'tanh' }";
    for (between, span, left) in [(NORMALIZED, 2, 3), (NORMALIZED, 3, 3), (tanh, 2, 3), (tanh, 3, 4)] {
        let dense = "{ type = 'Dense', units = 3 }";
        let layers = format!("{dense}, {between}, {cell}, {{ type = 'Add', span = {span} }}");
        assert_eq!(assert_folds(&layers, 2), left, "{layers}");
    }
}
