//! The cases of `golden.json`, which `make_golden.py` writes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use embedded_rnn::{Backend, F32};
use embedded_rnn_trainer::session::{RunMode, Session};
use serde::Deserialize;

use crate::import;

/// A bound a fifth above the worst difference, which is 2.1e-7 without fused multiply-add, 1.5e-7 with.
const ALLOWED: f64 = 2.5e-7;

#[derive(Deserialize)]
pub struct Case {
    pub name: String,
    pub args: Vec<String>,
    sequences: Vec<Vec<f32>>,
    outputs: Vec<Vec<f64>>,
}

/// Returns the path of a file in this folder.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import_pytorch").join(name)
}

pub fn cases() -> Vec<Case> {
    serde_json::from_str(&fs::read_to_string(path("golden.json")).unwrap()).unwrap()
}

/// All cases on every backend of this machine.
#[test]
fn imported_networks_match_pytorch() {
    let (mut worst, mut place) = (0.0f64, String::new());
    for Case { name, args, sequences, outputs } in cases() {
        let imported = import(&path(&format!("{name}.safetensors")), &args).unwrap();
        let bytes = imported.write::<F32>().unwrap();
        for backend in Backend::all() {
            let model = Session::new(Path::new(&name), &bytes).unwrap().with_backend(backend);
            for (frames, golden) in sequences.iter().zip(&outputs) {
                let found = model.predict(frames, RunMode::Sequence).unwrap();
                assert_eq!(found.len(), golden.len(), "{name}");
                for (&found, golden) in found.iter().zip(golden) {
                    assert!(found.is_finite(), "{name}");
                    let error = (f64::from(found) - golden).abs() / golden.abs().max(1.0);
                    if error > worst {
                        (worst, place) = (error, format!("{name} on {}", backend.name()));
                    }
                }
            }
        }
    }
    println!("worst: {worst:.2e}, {place}");
    assert!(worst < ALLOWED, "{worst:e}, allowed: {ALLOWED:e}: {place}");
}

/// `out[:, -1]` is the last time step of all.
#[test]
fn the_last_step_of_both_directions_matches_pytorch() {
    for case in cases().into_iter().filter(|case| case.name == "lstm_bidirectional_sequences") {
        let file = path(&format!("{}.safetensors", case.name));
        let imported = import(&file, &["--last-step", "--activation", "fc=softmax"]).unwrap();
        assert_eq!(imported.output(), "2 values at the last time step");
        let bytes = imported.write::<F32>().unwrap();
        for backend in Backend::all() {
            let model = Session::new(Path::new(&case.name), &bytes).unwrap().with_backend(backend);
            for (frames, golden) in case.sequences.iter().zip(&case.outputs) {
                let found = model.predict(frames, RunMode::Streaming).unwrap();
                let last = &golden[golden.len() - 2..];
                let errors = found.iter().zip(last).map(|(&found, golden)| (f64::from(found) - golden).abs());
                let worst = errors.fold(0.0, f64::max);
                assert!(found.len() == 2 && worst < ALLOWED, "{worst:e} on {}", backend.name());
            }
        }
    }
}

#[test]
fn the_last_step_of_both_directions_of_a_gru_is_rejected() {
    let error = import(&path("gru_bidirectional.safetensors"), &["--last-step"]).unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "--last-step: gru_l1: a GRU keeps a share of its state at every time step"
    );
}

/// A file without a case would not be tested.
#[test]
fn every_file_has_a_case() {
    let files = fs::read_dir(path("")).unwrap().map(|entry| entry.unwrap().path());
    let files: BTreeSet<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "safetensors"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(files, cases().into_iter().map(|case| case.name).collect());
    assert!(files.len() >= 20);
}

/// `ernn inspect` shows the origins.
#[test]
fn layers_record_their_origins() {
    for (case, expected) in [
        ("lstm", "fc: PyTorch Linear fc; lstm: PyTorch LSTM lstm"),
        ("alone", "lstm_l0: PyTorch LSTM, layer 0; lstm_l1: PyTorch LSTM, layer 1"),
        ("cells", "a: PyTorch LSTMCell a; b: PyTorch GRUCell b; c: PyTorch RNNCell c; fc: PyTorch Linear fc"),
        (
            "norms",
            "bn: PyTorch BatchNorm1d bn; fc: PyTorch Linear fc; lstm: PyTorch LSTM lstm; norm: PyTorch \
             LayerNorm norm",
        ),
        ("embedding", "embed: PyTorch Embedding embed; fc: PyTorch Linear fc; gru: PyTorch GRU gru"),
    ] {
        let args: &[&str] = if case == "cells" { &["--modules", "a,b,c,fc"] } else { &[] };
        let imported = import(&path(&format!("{case}.safetensors")), args).unwrap();
        let origins = imported.meta.origins.iter().map(|(name, origin)| format!("{name}: {origin}"));
        assert_eq!(origins.collect::<Vec<_>>().join("; "), expected);
        assert_eq!(imported.meta.name, case);
    }
}
