//! The trainer and model files compared with Keras, by golden files: see README.md.
//!
//! `golden` reads the files, `case` builds networks from them, `session` packs and runs the networks.

mod case;
#[path = "../common/files.rs"]
mod files;
mod golden;
mod losses;
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

/// The accuracy in f32 that the project promises. The worst are 5.7e-7 (model files: 1.4e-6, where
/// multiplications and additions are not fused) and 1.4e-5, all of a GRU with relu; Keras itself, in f32, is
/// 4.8e-7 and 3.5e-6 off.
const OUTPUTS_F32: f64 = 1e-5;
const GRADIENTS_F32: f64 = 1e-4;

/// The bounds in f64. The worst output differs by 5.8e-8; rounding the golden files to f32 alone causes up to
/// 6.0e-8. The worst gradient differs by 7.1e-8, after a `Normalization`, whose statistics are f32 in the
/// trainer; without one by 5.9e-8.
const OUTPUTS_F64: f64 = 6.5e-8;
const GRADIENTS_F64: f64 = 8.5e-8;

/// The seed of the training pass, which has no effect: no case has dropout.
const RNG_SEED: RngSeed = RngSeed { seed: 0, update: 0, shard: 0, layer: 0 };

/// The largest difference from Keras, relative to values above 1, and its place.
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

/// Compares the outputs of packed batches.
fn packed<T: Real>(cases: &[Case]) -> Worst {
    let mut worst = Worst::default();
    for case in cases {
        let input = PackedSequence { values: cast(&case.input.values), steps: case.input.steps.clone() };
        let output = case.network.cast::<T>().forward_from(&input, &cast_all(&case.initial));
        worst.compare_all(&[output], std::slice::from_ref(&case.output), &case.name);
    }
    worst
}

/// Compares the outputs of the reference forward, sequence by sequence.
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

/// Compares the results of the forward pass in training and of the backward pass.
fn training<T: Real>(cases: &[Case]) -> Worst {
    let mut worst = Worst::default();
    for Case { name, network, input, initial, training: golden, .. } in cases {
        let network = network.cast::<T>();
        let input = PackedSequence { values: cast(&input.values), steps: input.steps.clone() };
        let caches = network.forward_caches(&input, &cast_all(initial), Some(RNG_SEED));
        let found =
            network.backward(&input, &caches, cast(&golden.weights), &cast_all(&golden.final_weights));
        let finals = network.final_states(&input, &caches);
        let mut compare = |what: &str, found: &[Matrix<T>], golden: &[Matrix<f32>]| {
            worst.compare_all(found, golden, &format!("{name}, {what}"));
        };
        let output = caches.last().unwrap().output.values.clone();
        compare("output in training", &[output], std::slice::from_ref(&golden.output));
        let statistics: Vec<_> = caches.into_iter().flat_map(|cache| cache.statistics).collect();
        compare("statistic", &statistics, &golden.statistics);
        compare("gradient of parameter", &found.parameters, &golden.gradients.parameters);
        compare("final state", &finals.concat(), &golden.final_states.concat());
        compare("gradient of state", &found.initial.concat(), &golden.gradients.initial.concat());
        compare("gradient of input", &[found.input], std::slice::from_ref(&golden.gradients.input));
    }
    worst
}

#[test]
fn outputs_match_keras() {
    let cases = case::all();
    packed::<f32>(&cases).assert_within(OUTPUTS_F32);
    reference::<f32>(&cases).assert_within(OUTPUTS_F32);
    packed::<f64>(&cases).assert_within(OUTPUTS_F64);
    reference::<f64>(&cases).assert_within(OUTPUTS_F64);
}

#[test]
fn gradients_match_keras() {
    let cases = case::all();
    training::<f32>(&cases).assert_within(GRADIENTS_F32);
    training::<f64>(&cases).assert_within(GRADIENTS_F64);
}

/// The reference forward skips masked time steps.
#[test]
fn masked_time_steps_are_skipped() {
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

/// A weight or a state without effect would not be tested. The least largest gradient is 0.026.
#[test]
fn every_weight_and_state_matters() {
    for Case { name, training, .. } in case::all() {
        let gradients = training.gradients;
        for gradient in gradients.parameters.iter().chain(gradients.initial.iter().flatten()) {
            assert!(gradient.amax() > 0.02, "{name}: {gradient}");
        }
    }
}

/// Returns the names that a config accepts in place of `none`, from the error.
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
