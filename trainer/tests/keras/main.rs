//! The trainer and model files against Keras, on files that were made once: README.md.
//!
//! `golden` reads them, `case` makes networks of them, `session` packs and runs
//! these.

mod case;
#[path = "../common/files.rs"]
mod files;
mod golden;
#[path = "../common/running.rs"]
mod running;
mod runtime;
mod session;
#[path = "../common/states.rs"]
mod states;

use embedded_rnn_trainer::layers::LayerConfig;
use embedded_rnn_trainer::layers::{Embedding, Kind};
use embedded_rnn_trainer::net::{RngSeed, States};
use embedded_rnn_trainer::packed::PackedSequence;
use embedded_rnn_trainer::tensor::{Matrix, Real, cast};

use case::{Case, Sequence};

/// What the project promises of f32. The worst are 5.7e-7 (model files: 1.4e-6, where multiplications and additions are rounded
/// apart) and 1.4e-5, all of a GRU with relu; Keras itself, if it computes in f32, is 4.8e-7 and 3.5e-6 off.
const OUTPUTS_F32: f64 = 1e-5;
const GRADIENTS_F32: f64 = 1e-4;

/// Of f64. The worst of outputs is 5.5e-8, about what rounding the files to f32 can do: 6.0e-8. The worst of gradients is
/// 7.1e-8, behind a `Normalization`, whose statistics are f32 in the trainer; without one 5.9e-8.
const OUTPUTS_F64: f64 = 6.5e-8;
const GRADIENTS_F64: f64 = 8.5e-8;

/// Nothing in the cases is drawn at random.
const DRAW: RngSeed = RngSeed { seed: 0, update: 0, shard: 0, layer: 0 };

/// The largest difference from Keras, relative to the value where that is above 1, and where it is.
#[derive(Debug, Default)]
struct Worst {
    error: f64,
    place: String,
}

impl Worst {
    fn compare<T: Real>(&mut self, found: &[T], golden: &[f32], place: &str) {
        assert_eq!(found.len(), golden.len(), "{place}");
        for (found, &golden) in found.iter().zip(golden) {
            let golden = f64::from(golden);
            let error = (found.to_f64() - golden).abs() / golden.abs().max(1.0);
            if error.is_nan() || error > self.error {
                *self = Self { error, place: format!("{place}: {found}, but Keras has {golden}") };
            }
        }
    }

    fn compare_all<T: Real>(&mut self, found: &[Matrix<T>], golden: &[Matrix<f32>], place: &str) {
        assert_eq!(found.len(), golden.len(), "{place}");
        for (k, (found, golden)) in found.iter().zip(golden).enumerate() {
            assert_eq!(found.shape(), golden.shape(), "{place} {k}");
            self.compare(found.as_slice(), golden.as_slice(), &format!("{place} {k}"));
        }
    }

    fn assert_within(self, bound: f64) {
        println!("worst: {:.2e}, {}", self.error, self.place);
        assert!(self.error < bound, "{:e}, allowed: {bound:e}: {}", self.error, self.place);
    }
}

fn cast_all<T: Real>(states: &States<f32>) -> States<T> {
    states.iter().map(|layer| layer.iter().map(cast).collect()).collect()
}

fn cast_values<T: Real>(values: &[f32]) -> Vec<T> {
    values.iter().map(|&value| T::of(value.into())).collect()
}

/// In the packed batch.
fn packed<T: Real>(cases: &[Case]) -> Worst {
    let mut worst = Worst::default();
    for case in cases {
        let input = PackedSequence { values: cast(&case.input.values), steps: case.input.steps.clone() };
        let output = case.network.cast::<T>().forward_from(&input, &cast_all(&case.initial));
        worst.compare_all(&[output], std::slice::from_ref(&case.output), &case.name);
    }
    worst
}

/// Sequence by sequence in plain loops.
fn reference<T: Real>(cases: &[Case]) -> Worst {
    let mut worst = Worst::default();
    for case in cases {
        let network = case.network.cast::<T>();
        for (s, Sequence { frames, initial, output }) in case.sequences().enumerate() {
            let found = network.predict_from(&cast_values::<T>(&frames), &cast_all(&initial));
            worst.compare(&found, &output, &format!("{}, sequence {s}", case.name));
        }
    }
    worst
}

/// What a pass of training and the way back find.
fn training<T: Real>(cases: &[Case]) -> Worst {
    let mut worst = Worst::default();
    for Case { name, network, input, initial, training: golden, .. } in cases {
        let network = network.cast::<T>();
        let input = PackedSequence { values: cast(&input.values), steps: input.steps.clone() };
        let caches = network.forward_caches(&input, &cast_all(initial), Some(DRAW));
        let found =
            network.backward(&input, &caches, cast(&golden.weights), &cast_all(&golden.final_weights));
        let finals = network.final_states(&input, &caches);
        let mut compare = |what: &str, found: &[Matrix<T>], golden: &[Matrix<f32>]| {
            worst.compare_all(found, golden, &format!("{name}, {what}"));
        };
        let output = caches.last().unwrap().output.values.clone();
        compare("output in training", &[output], std::slice::from_ref(&golden.output));
        let statistics: Vec<_> = caches.into_iter().flat_map(|trace| trace.statistics).collect();
        compare("statistic", &statistics, &golden.statistics);
        compare("gradient of parameter", &found.parameters, &golden.gradients.parameters);
        compare("final state", &finals.concat(), &golden.final_states.concat());
        compare("gradient of state", &found.initial.concat(), &golden.gradients.initial.concat());
        compare("gradient of input", &[found.input], std::slice::from_ref(&golden.gradients.input));
    }
    worst
}

#[test]
fn outputs_are_those_of_keras() {
    let cases = case::all();
    packed::<f32>(&cases).assert_within(OUTPUTS_F32);
    reference::<f32>(&cases).assert_within(OUTPUTS_F32);
    packed::<f64>(&cases).assert_within(OUTPUTS_F64);
    reference::<f64>(&cases).assert_within(OUTPUTS_F64);
}

#[test]
fn gradients_are_those_of_keras() {
    let cases = case::all();
    training::<f32>(&cases).assert_within(GRADIENTS_F32);
    training::<f64>(&cases).assert_within(GRADIENTS_F64);
}

/// A network that masks takes masked frames out of a sequence by itself.
#[test]
fn masked_frames_are_none() {
    let mut worst = Worst::default();
    for case in case::all() {
        let first = &case.network.layers[0].kind;
        if !matches!(first, Kind::Masking(_) | Kind::Embedding(Embedding { mask_zero: true, .. })) {
            continue;
        }
        for (padded, Sequence { initial, output, .. }) in case.padded.iter().zip(case.sequences()) {
            worst.compare(&case.network.predict_from(padded, &initial), &output, &case.name);
        }
    }
    worst.assert_within(OUTPUTS_F32);
}

/// A weight or a state that does nothing could be any. The least that one matters is 0.026.
#[test]
fn every_weight_and_state_matters() {
    for Case { name, training, .. } in case::all() {
        let gradients = training.gradients;
        for gradient in gradients.parameters.iter().chain(gradients.initial.iter().flatten()) {
            assert!(gradient.amax() > 0.02, "{name}: {gradient}");
        }
    }
}

/// What a config may have in place of `none`, by what is said of it.
fn names(layer: &str) -> Vec<String> {
    let error = toml::from_str::<LayerConfig>(layer).unwrap_err();
    let (_, expected) = error.message().split_once("expected one of").unwrap();
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_layer_and_option_has_a_case() {
    let cases = std::fs::read_to_string(golden::path("cases.toml")).unwrap();
    for (key, layer) in [
        ("type", "type = 'none'"),
        ("activation", "type = 'Dense'\nunits = 1\nactivation = 'none'"),
        ("merge_mode", "type = 'Bidirectional'\nlayer = { type = 'GRU', units = 1 }\nmerge_mode = 'none'"),
    ] {
        let names = names(layer);
        assert!(names.len() >= 4, "{names:?}");
        for name in names {
            assert!(cases.contains(&format!(" {key} = \"{name}\"")), "no case with {key} = {name}");
        }
    }
}
