//! Functional models of Keras 3.15.1 whose initial states are constants, in `initial_states.zip.gz`.

use std::path::Path;

use embedded_rnn::F32;
use embedded_rnn_trainer::import::keras;
use embedded_rnn_trainer::pack::quantize;
use embedded_rnn_trainer::session::{RunMode, Session};

use crate::golden::{Array, Members, members};
use crate::rejected::error_of;

/// The bound, relative to outputs above 1. Measured: 2.4e-7.
const BOUND: f32 = 2.9e-7;
/// The bound of i8 models. Measured: 7.7e-3.
const I8_BOUND: f32 = 9.3e-3;

/// Returns the largest difference of a model's outputs from those of Keras.
fn difference(bytes: &[u8], members: &Members, name: &str) -> f32 {
    let [x, y] = ["x", "y"].map(|which| Array::read(&members[&format!("{name}.{which}.npy")]));
    let model = Session::new(Path::new(name), bytes).unwrap();
    let mut worst = 0.0f32;
    for (frames, expected) in x.sequences().zip(y.sequences()) {
        let found = model.predict(frames, RunMode::Sequence).unwrap();
        assert_eq!(found.len(), expected.len());
        let errors = found.iter().zip(expected).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
        worst = errors.fold(worst, f32::max);
    }
    worst
}

#[test]
fn constant_initial_states_match_keras() {
    let members = members("initial_states");
    let names = members.keys().filter_map(|name| name.strip_suffix(".keras"));
    let names: Vec<&str> = names.filter(|name| !name.starts_with("rejected/")).collect();
    assert_eq!(names.len(), 10);
    let mut worst = [0.0f32; 2];
    for name in names {
        let imported = keras::read(members[&format!("{name}.keras")].clone(), name).unwrap();
        let states = imported.network.layers.iter().flat_map(|layer| layer.kind.get().initial_states());
        let given = states.filter(|state| state.iter().any(|value| *value != 0.0)).count();
        let expected = match name {
            "zeros" => 0,
            "lstm" | "equal_sequences" | "bidirectional_last" => 2,
            "bidirectional" => 4,
            _ => 1,
        };
        assert_eq!(given, expected, "{name}");
        let found = difference(&imported.write::<F32>().unwrap(), &members, name);
        assert!(found < BOUND, "{name}: off by {found:e}");
        let frames = Array::read(&members[&format!("{name}.x.npy")]);
        let sequences: Vec<&[f32]> = frames.sequences().collect();
        let quantized = quantize(&imported.network, &imported.meta, &sequences).unwrap();
        let in_integers = difference(&quantized.bytes, &members, name);
        assert!(in_integers < I8_BOUND, "{name} in i8: off by {in_integers:e}");
        worst = [worst[0].max(found), worst[1].max(in_integers)];
    }
    println!("worst {:e}, in i8 {:e}", worst[0], worst[1]);
}

#[test]
fn other_initial_states_are_rejected() {
    let members = members("initial_states");
    for (name, expected) in [
        (
            "other_sequences",
            "gru: inbound_nodes: initial_state: the sequences of a batch start from different states, a \
             model from one",
        ),
        ("masked", "lstm: inbound_nodes: mask: differs from the mask of the input"),
        ("doubles", "gru: inbound_nodes: initial_state: dtype float64: only float32 is supported"),
        (
            "stateful",
            "gru: stateful true: not supported with an initial_state, from which Keras starts each call",
        ),
    ] {
        assert_eq!(error_of(members[&format!("rejected/{name}.keras")].clone()), expected);
    }
}
