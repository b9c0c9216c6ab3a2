//! The small models that the runtime's examples and tests include are those that the packer writes today.
//!
//! `OVERWRITE=1 cargo test -p embedded-rnn-trainer --test tiny_model` writes them again.

use std::path::Path;

use embedded_rnn::F16;
use embedded_rnn_trainer::net::Network;
use embedded_rnn_trainer::pack::{Meta, Random, files, quantize, random_cell, write_float};

/// Takes the ids of five letters, and has an output for the next one.
const LETTERS: &str = "{ type = 'Embedding', input_dim = 5, output_dim = 3 }, \
    { type = 'GRU', units = 4, return_sequences = true }, \
    { type = 'Dense', units = 5, activation = 'softmax' }";
/// Takes the same ids and copies its state to [`LETTERS`], a decoder then.
const ENCODER: &str = "{ type = 'Embedding', input_dim = 5, output_dim = 3 }, { type = 'GRU', units = 4 }";
/// Processes sequences of two features in both directions.
const BIDIRECTIONAL: &str = "{ type = 'Bidirectional', \
    layer = { type = 'LSTM', units = 3, return_sequences = true } }, \
    { type = 'Dense', units = 3, activation = 'softmax' }";

fn random(layers: &str, input_size: usize) -> (Network<f32>, Vec<f32>) {
    Random { layers, input_size, steps: 4, seed: 1 }.make().unwrap()
}

/// Returns an i8 file, calibrated on these frames.
fn quantized((network, frames): &(Network<f32>, Vec<f32>), labels: &[&str]) -> Vec<u8> {
    let labels = labels.iter().map(|&label| label.to_owned()).collect();
    let meta = Meta { name: "random".to_owned(), labels, ..Meta::default() };
    quantize(network, &meta, &[frames]).unwrap().bytes
}

#[test]
fn the_small_models_in_the_runtimes_tests_are_up_to_date() {
    let (network, frames) = random_cell(("LSTM", ""), (2, 3), 4, 1).unwrap();
    let (float, int) = files(&network, &frames).unwrap();
    let half = write_float::<F16>(&network, &Meta::default(), &frames).unwrap();
    let mut pair = random(ENCODER, 1);
    pair.0.decoder = Some(Box::new(random(LETTERS, 1).0));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/tests/data");
    for (name, bytes) in [
        ("tiny.ernn", float),
        ("tiny.f16.ernn", half),
        ("tiny.i8.ernn", int),
        ("letters.i8.ernn", quantized(&random(LETTERS, 1), &[".", "a", "e", "n", "r"])),
        ("decoder.i8.ernn", quantized(&pair, &[])),
        ("bidirectional.i8.ernn", quantized(&random(BIDIRECTIONAL, 2), &[])),
    ] {
        let path = folder.join(name);
        if std::env::var_os("OVERWRITE").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &bytes).unwrap();
        }
        assert!(std::fs::read(&path).unwrap() == bytes, "{name} differs: see the head of this file");
    }
}
