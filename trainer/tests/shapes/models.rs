//! A small random model of each shape, and its files in a folder.

use std::fs;
use std::path::Path;

use embedded_rnn::{F16, F32};
use embedded_rnn_trainer::net::Network;
use embedded_rnn_trainer::pack::{Meta, Random, quantize, write_float};
use tempfile::TempDir;

/// Names of the five classes of the models that have names.
pub const LABELS: [&str; 5] = ["end", "a", "b", "New York", "7"];

/// The files of a model.
pub const FILES: [&str; 3] = ["m.ernn", "m.f16.ernn", "m.i8.ernn"];

/// Ids in, the same ids out at every step.
pub const WRITES: &str = "{ type = 'Embedding', input_dim = 5, output_dim = 3 }, \
    { type = 'GRU', units = 6, return_sequences = true }, { type = 'Dense', units = 5, activation = 'softmax' }";
/// Over two features, both ways and then from the end.
pub const WHOLE: &str = "{ type = 'Normalization' }, { type = 'Dense', units = 4, activation = 'tanh' }, \
    { type = 'Bidirectional', layer = { type = 'LSTM', units = 3, return_sequences = true } }, \
    { type = 'GRU', units = 4, return_sequences = true, go_backwards = true }, \
    { type = 'Dense', units = 3, activation = 'softmax' }";
/// Over two features, of which 0.5 twice is no time step.
pub const MASKED: &str = "{ type = 'Masking', mask_value = 0.5 }, { type = 'Normalization' }, \
    { type = 'LSTM', units = 4, return_sequences = true }, { type = 'Dense', units = 3, activation = 'softmax' }";
/// Ids of which 0 is no time step, both ways.
pub const MASKED_IDS: &str = "{ type = 'Embedding', input_dim = 6, output_dim = 3, mask_zero = true }, \
    { type = 'Bidirectional', merge_mode = 'sum', layer = { type = 'GRU', units = 4, return_sequences = true } }, \
    { type = 'Dense', units = 3, activation = 'softmax' }";
/// Ids in, one answer out.
pub const CLASSIFIES: &str = "{ type = 'Embedding', input_dim = 6, output_dim = 3 }, { type = 'LSTM', units = 4 }, \
    { type = 'Dense', units = 3, activation = 'softmax' }";

const ENCODER: &str = "{ type = 'Embedding', input_dim = 6, output_dim = 3 }, { type = 'GRU', units = 6 }";
const REVERSED: &str = "{ type = 'GRU', units = 6, go_backwards = true }";
const DECODER: &str = WRITES;

/// Steps of the sequence that a random network comes with.
const STEPS: usize = 12;

pub fn random(layers: &str, input_size: usize, seed: u64) -> (Network<f32>, Vec<f32>) {
    Random { layers, input_size, steps: STEPS, seed }.make().unwrap()
}

/// Of six ids, or of two features and then from the end. Most seeds give models that never end, or do not heed their sources:
/// the tests take 185 and 210, which do.
pub fn encoder_decoder(of_ids: bool, seed: u64) -> (Network<f32>, Vec<f32>) {
    let (mut network, frames) = if of_ids { random(ENCODER, 1, seed) } else { random(REVERSED, 2, seed) };
    let mut decoder = random(DECODER, 1, seed + 1).0;
    // As a config would call them.
    decoder.layers.iter_mut().for_each(|layer| layer.name += "_1");
    network.decoder = Some(Box::new(decoder));
    (network, frames)
}

/// A folder with the files of a network.
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

/// Ids, as sequences of these lengths.
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

/// The largest difference of two lists of one length.
pub fn worst(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold(0f32, |worst, (a, b)| worst.max((a - b).abs()))
}

/// What is said on stdout by a command that succeeds.
pub fn said(folder: &Path, args: &[&str]) -> String {
    let output = crate::common::output(folder, args);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && error.is_empty(), "{args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}
