//! Small random models of each shape, and their files.

use std::fs;
use std::path::Path;

use embedded_rnn::{F16, F32};
use embedded_rnn_trainer::net::Network;
use embedded_rnn_trainer::pack::{Meta, Random, quantize, write_float};
use tempfile::TempDir;

/// The names of the five classes.
pub const LABELS: [&str; 5] = ["end", "a", "b", "New York", "7"];

/// The files of a model.
pub const FILES: [&str; 3] = ["m.ernn", "m.f16.ernn", "m.i8.ernn"];

/// A generative model: ids as inputs, probabilities of the same ids as outputs of every time step.
pub const GENERATIVE: &str = "{ type = 'Embedding', input_dim = 5, output_dim = 3 }, \
    { type = 'GRU', units = 6, return_sequences = true }, \
    { type = 'Dense', units = 5, activation = 'softmax' }";
/// A model over two features with a Bidirectional, and a layer that runs backwards.
pub const WHOLE: &str = "{ type = 'Normalization' }, { type = 'Dense', units = 4, activation = 'tanh' }, \
    { type = 'Bidirectional', layer = { type = 'LSTM', units = 3, return_sequences = true } }, \
    { type = 'GRU', units = 4, return_sequences = true, go_backwards = true }, \
    { type = 'Dense', units = 3, activation = 'softmax' }";
/// A model over two features; a time step is masked if both are 0.5.
pub const MASKED: &str = "{ type = 'Masking', mask_value = 0.5 }, { type = 'Normalization' }, \
    { type = 'LSTM', units = 4, return_sequences = true }, \
    { type = 'Dense', units = 3, activation = 'softmax' }";
/// A model over ids with a Bidirectional; id 0 is a masked time step.
pub const MASKED_IDS: &str = "{ type = 'Embedding', input_dim = 6, output_dim = 3, mask_zero = true }, \
    { type = 'Bidirectional', merge_mode = 'sum', \
    layer = { type = 'GRU', units = 4, return_sequences = true } }, \
    { type = 'Dense', units = 3, activation = 'softmax' }";
/// A model over ids with one output per sequence.
pub const CLASSIFIER: &str = "{ type = 'Embedding', input_dim = 6, output_dim = 3 }, \
    { type = 'LSTM', units = 4 }, { type = 'Dense', units = 3, activation = 'softmax' }";

const ENCODER: &str = "{ type = 'Embedding', input_dim = 6, output_dim = 3 }, { type = 'GRU', units = 6 }";
const REVERSED: &str = "{ type = 'GRU', units = 6, go_backwards = true }";
const DECODER: &str = GENERATIVE;

/// The time steps of the random frames of a network.
const STEPS: usize = 12;

pub fn random(layers: &str, input_size: usize, seed: u64) -> (Network<f32>, Vec<f32>) {
    Random { layers, input_size, steps: STEPS, seed }.make().unwrap()
}

/// Returns an encoder-decoder whose encoder takes one of six ids, or two features and runs backwards. With
/// most seeds the decoder never ends, or its outputs do not depend on the source; the tests use 185 and 210,
/// with which it ends and depends on the source.
pub fn encoder_decoder(of_ids: bool, seed: u64) -> (Network<f32>, Vec<f32>) {
    let (mut network, frames) = if of_ids { random(ENCODER, 1, seed) } else { random(REVERSED, 2, seed) };
    let mut decoder = random(DECODER, 1, seed + 1).0;
    // A config would assign these names.
    decoder.layers.iter_mut().for_each(|layer| layer.name += "_1");
    network.decoder = Some(Box::new(decoder));
    (network, frames)
}

/// Makes a folder with the files of a network.
pub fn folder((network, frames): &(Network<f32>, Vec<f32>), labels: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let labels = labels.iter().map(|&label| label.to_owned()).collect();
    let meta = Meta { name: "mine".to_owned(), labels, ..Meta::default() };
    let files = [
        write_float::<F32>(network, &meta, frames).unwrap(),
        write_float::<F16>(network, &meta, frames).unwrap(),
        quantize(network, &meta, &[frames]).unwrap().bytes,
    ];
    FILES.iter().zip(files).for_each(|(name, bytes)| fs::write(folder.path().join(name), bytes).unwrap());
    folder
}

/// Returns sequences of ids of these lengths.
pub fn ids(lengths: &[usize], below: i64) -> Vec<Vec<i64>> {
    let mut next = 7i64;
    let mut id = || {
        next = (next * 31 + 17) % 1009;
        next % below
    };
    lengths.iter().map(|&length| (0..length).map(|_| id()).collect()).collect()
}

pub fn floats(ids: &[i64]) -> Vec<f32> {
    ids.iter().map(|&id| id as f32).collect()
}

/// Returns the largest difference of two lists of the same length.
pub fn worst(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold(0f32, |worst, (a, b)| worst.max((a - b).abs()))
}

/// Runs a command that succeeds, and returns its standard output.
pub fn stdout(folder: &Path, args: &[&str]) -> String {
    let output = crate::common::output(folder, args);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && error.is_empty(), "{args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}
