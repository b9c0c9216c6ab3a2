//! Initial states of a state dict, by `--initial`: layer after layer, the forward direction before the
//! backward one, as nn.LSTM documents its `h_0`.

use std::fs;

use embedded_rnn::F32;
use embedded_rnn_trainer::pack::read_float;

use crate::import;
use crate::rejected::{Shapes, error, file};

/// Two bidirectional layers.
const STACK: &Shapes<'_> = &[
    ("lstm.weight_ih_l0", &[12, 2]),
    ("lstm.weight_hh_l0", &[12, 3]),
    ("lstm.weight_ih_l0_reverse", &[12, 2]),
    ("lstm.weight_hh_l0_reverse", &[12, 3]),
    ("lstm.weight_ih_l1", &[12, 6]),
    ("lstm.weight_hh_l1", &[12, 3]),
    ("lstm.weight_ih_l1_reverse", &[12, 6]),
    ("lstm.weight_hh_l1_reverse", &[12, 3]),
];

/// Returns the initial states of each layer, as the model file has them.
fn states(shapes: &Shapes<'_>, args: &[&str]) -> Vec<Vec<Vec<f32>>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    fs::write(&path, file(shapes)).unwrap();
    let bytes = import(&path, args).unwrap().write::<F32>().unwrap();
    let (network, _) = read_float::<F32>(&bytes).unwrap();
    network.layers.iter().map(|layer| layer.kind.get().initial_states()).collect()
}

/// Returns the values of a row of a tensor that [`file`] writes.
fn row(index: usize, units: usize) -> Vec<f32> {
    (index * units..(index + 1) * units).map(|k| k as f32 / 16.0).collect()
}

#[test]
fn states_are_those_of_layer_after_layer() {
    let beside: &Shapes<'_> = &[("h0", &[4, 1, 3]), ("start.c", &[4, 3])];
    let found = states(&[STACK, beside].concat(), &["--initial", "lstm=h0:start.c"]);
    let layer = |first| [first, first, first + 1, first + 1].map(|index| row(index, 3)).to_vec();
    assert_eq!(found, [layer(0), layer(2)]);
}

#[test]
fn a_single_layer_takes_a_vector() {
    let gru: &Shapes<'_> = &[("gru.weight_ih_l0", &[6, 3]), ("gru.weight_hh_l0", &[6, 2])];
    let beside: &Shapes<'_> = &[("h0", &[2])];
    assert_eq!(states(&[gru, beside].concat(), &["--initial", "gru=h0"]), [[row(0, 2)]]);
}

#[test]
fn other_states_are_rejected() {
    let beside: &Shapes<'_> = &[("h0", &[3, 1, 3]), ("c0", &[4, 1, 3]), ("both", &[2, 2, 3])];
    let fc: &Shapes<'_> = &[("fc.weight", &[2, 6]), ("fc.bias", &[2])];
    let bytes = file(&[STACK, beside, fc].concat());
    let without = ["--without", "h0,both"];
    for (initial, without, expected) in [
        ("lstm=c1", &[][..], "--initial lstm: c1: no such tensor"),
        ("lstm=c0", &without, "--initial lstm: 1 tensors, expected H:C"),
        ("fc=c0", &without, "--initial fc: not an RNN, LSTM or GRU"),
        ("lstm=h0:c0", &["--without", "both"], "--initial lstm: h0: shape [3, 1, 3], expected [4, 1, 3]"),
        ("lstm=both:c0", &["--without", "h0"], "--initial lstm: both: shape [2, 2, 3], expected [4, 1, 3]"),
    ] {
        assert_eq!(error(&bytes, &[&["--initial", initial][..], without].concat()), expected);
    }
    let other = error(&bytes, &["--initial", "gru=c0", "--without", "h0,both"]);
    assert!(other.starts_with("--initial gru: no such module; the file has "), "{other}");
    assert_eq!(error(&bytes, &["--without", "h0,both"]), "c0: not a tensor of a supported module");
}

#[test]
fn the_last_step_of_both_directions_starts_from_zeros() {
    let beside: &Shapes<'_> = &[("h0", &[4, 3]), ("c0", &[4, 3])];
    let bytes = file(&[STACK, beside].concat());
    let found = error(&bytes, &["--initial", "lstm=h0:c0", "--last-step"]);
    assert_eq!(found, "--last-step: lstm_l1: not with --initial");
}
