//! Random float layers from random states: all fused backends have the same bits, and all backends are close
//! to the reference forward in f64.

use std::collections::BTreeMap;

use embedded_rnn::format::Activation as Code;
use embedded_rnn::{Backend, F16, F32, Kind, Number};
use embedded_rnn_trainer::activation::Activation;
use embedded_rnn_trainer::data::is_masked;
use embedded_rnn_trainer::net::{Network, States};
use embedded_rnn_trainer::pack::{AlignedBytes, Random};
use embedded_rnn_trainer::tensor::{Matrix, cast};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::crafted::Place;
use crate::files::{layers_of, widened};
use crate::running::{Session, bits, model, ram, run, save};
use crate::states::begin;
use crate::variants::{self, Variant};

/// Models per variant, and per extended variant, as there are many of these.
const MODELS: usize = 100;
const EXTENDED_MODELS: usize = 3;
const STEPS: usize = 4;
/// Scales the weights of extended variants: unbounded gates make the states grow, and an exponential even
/// more.
const EXTENDED_SCALE: f32 = 0.25;
const SIZES: std::ops::RangeInclusive<usize> = 1..=40;

/// Bound of the difference from f64, relative to outputs above 1. The rounding errors of sums of up to 81
/// products and of the activations grow over the time steps of unbounded layers; the worst difference is
/// 1.61e-6.
const TOLERANCE: f64 = 1.94e-6;
/// The same bound for an LSTM whose activation is exponential: it is applied to the cell state, which with
/// unbounded gates is exponential as well. The worst difference is 4.45e-5.
const TOLERANCE_OF_EXPONENTIALS: f64 = 5.4e-5;

fn tolerance(variant: Variant) -> f64 {
    let exponential = variant.activation == Code::Exponential as u8;
    if variant.kind() == Kind::Lstm && exponential { TOLERANCE_OF_EXPONENTIALS } else { TOLERANCE }
}

/// A network with its initial states and inputs.
struct Case {
    network: Network<f32>,
    initial: States<f32>,
    frames: Vec<f32>,
    /// Whether each of the frames is not masked.
    unmasked: Vec<bool>,
}

impl Case {
    fn new(variant: Variant, cells: &[Variant], seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let ids = variant.kind() == Kind::Embedding;
        let input_size = if ids { 1 } else { rng.random_range(SIZES) };
        let layers = layers(variant, cells, &mut rng);
        let (mut network, mut frames) =
            Random { layers: &layers, input_size, steps: STEPS, seed }.make().unwrap();
        if variant.is_extended() {
            network.parameters_mut().into_iter().for_each(|parameter| *parameter *= EXTENDED_SCALE);
        }
        let mask_value = layers.contains("mask").then_some(0.0);
        if mask_value.is_some() {
            // The first frame is not masked.
            frames[0] = 1.0;
            let masked = rng.random_range(1..STEPS) * input_size;
            frames[masked..masked + input_size].fill(0.0);
        }
        let is_masked_frame = |frame| mask_value.is_some_and(|value| is_masked(frame, value));
        let unmasked = frames.chunks_exact(input_size).map(|frame| !is_masked_frame(frame)).collect();
        let initial = network.layers.iter().map(|layer| {
            let sizes = layer.kind.get().states().into_iter();
            // The states are h, and for an LSTM c.
            let states = sizes.map(|size| Matrix::from_fn(size, 1, |_, _| rng.random_range(-1.0..1.0)));
            states.collect()
        });
        let initial = initial.collect();
        Case { network, initial, frames, unmasked }
    }

    /// Computes the outputs with the reference forward.
    fn reference(&self) -> Vec<f64> {
        let frames: Vec<f64> = self.frames.iter().map(|&x| x.into()).collect();
        let initial: States<f64> = self.initial.iter().map(|own| own.iter().map(cast).collect()).collect();
        self.network.cast::<f64>().predict_from(&frames, &initial)
    }

    fn pack<N: Session>(&self) -> AlignedBytes {
        AlignedBytes::new(&N::pack(&self.network, &[&self.frames]).unwrap())
    }

    /// Returns the outputs of unmasked frames, and the saved state after the sequence.
    fn found<N: Number<In = f32, Out = f32>>(&self, file: &[u8], backend: Backend) -> (Vec<f32>, Vec<u8>) {
        let model = model::<N>(file, backend);
        let mut ram = ram(&model, STEPS);
        let mut state = model.state(&mut ram).unwrap();
        begin(&model, &mut state, &self.initial);
        let out = run(&model, &mut state, &self.frames);
        let outputs = out.chunks_exact(model.output_size());
        let every = vec![true; STEPS];
        let unmasked = if model.returns_sequences() { &self.unmasked } else { &every };
        let found = outputs.zip(unmasked).filter(|(_, unmasked)| **unmasked);
        (found.flat_map(|(y, _)| y.to_vec()).collect(), save(&model, &state))
    }
}

/// Returns a layer of this variant as in a config, with the layers that it requires.
fn layers(variant: Variant, cells: &[Variant], rng: &mut ChaCha8Rng) -> String {
    let units = rng.random_range(SIZES);
    let cell = |rng: &mut ChaCha8Rng| *cells.choose(rng).unwrap();
    match variant.kind() {
        kind @ (Kind::Normalization | Kind::BatchNormalization | Kind::LayerNormalization) => {
            format!("{{ type = '{}' }}", kind.name())
        }
        Kind::Dense => {
            format!("{{ type = 'Dense', units = {units}, activation = '{}' }}", name(variant.activation))
        }
        // The Activation follows a layer that it is not merged into.
        Kind::Activation => format!(
            "{{ type = 'LayerNormalization' }}, {{ type = 'Activation', activation = '{}' }}",
            name(variant.activation)
        ),
        Kind::Bidirectional => {
            let mode = ["concat", "sum", "ave", "mul"][usize::from(variant.merge_mode) - 1];
            let layer = recurrent(cell(rng), false, rng);
            format!("{{ type = 'Bidirectional', merge_mode = '{mode}', layer = {layer} }}")
        }
        Kind::Embedding => {
            let (ids, mask): (_, bool) = (rng.random_range(2..=40), rng.random());
            let embedding = format!("type = 'Embedding', input_dim = {ids}, output_dim = {units}");
            let next = if mask { recurrent(cell(rng), false, rng) + "," } else { String::new() };
            let mask = if mask { ", mask_zero = true" } else { "" };
            format!("{{ {embedding}{mask} }}, {next}")
        }
        Kind::Masking => format!("{{ type = 'Masking' }}, {}", recurrent(cell(rng), false, rng)),
        Kind::Add => format!(
            "{{ type = 'Dense', units = {units} }},
             {{ type = 'Dense', units = {units}, activation = 'tanh' }}, {{ type = 'Add' }}"
        ),
        kind @ (Kind::GlobalMaxPooling1D | Kind::GlobalAveragePooling1D) => {
            format!("{{ type = 'Dense', units = {units} }}, {{ type = '{}' }}", kind.name())
        }
        _ => recurrent(variant, rng.random_range(0..4) == 0, rng),
    }
}

fn name(activation: u8) -> &'static str {
    Activation::from_code(activation).unwrap().keras_name()
}

fn recurrent(variant: Variant, go_backwards: bool, rng: &mut ChaCha8Rng) -> String {
    let keras = match variant.kind() {
        Kind::SimpleRnn => "type = 'SimpleRNN'",
        Kind::Lstm => "type = 'LSTM'",
        Kind::Gru => "type = 'GRU'",
        Kind::GruResetBefore => "type = 'GRU', reset_after = false",
        kind => panic!("no config for {kind:?}"),
    };
    let gates = match (variant.kind(), variant.recurrent_activation) {
        (Kind::SimpleRnn, _) => String::new(),
        (_, code) => format!(", recurrent_activation = '{}'", name(code)),
    };
    let (units, sequences): (_, bool) = (rng.random_range(SIZES), rng.random());
    format!(
        "{{ {keras}, units = {units}, activation = '{}'{gates}, return_sequences = {sequences}, \
         go_backwards = {go_backwards} }}",
        name(variant.activation)
    )
}

/// Asserts that an f16 model has the bits of an f32 model of the rounded weights, as half floats widen
/// exactly.
fn assert_half_floats_widen(case: &Case) {
    let half = case.pack::<F16>();
    let single = widened(&half);
    for backend in Backend::all() {
        let ((out, _), (expected, _)) =
            (case.found::<F16>(&half, backend), case.found::<F32>(&single, backend));
        assert!(bits(&out) == bits(&expected), "other bits of half floats on {}", backend.name());
    }
}

/// Returns the number of models of a variant.
fn models(variant: Variant) -> usize {
    if variant.is_extended() { EXTENDED_MODELS } else { MODELS }
}

#[test]
fn float_layers_match_f64_and_fused_backends_have_the_same_bits() {
    let variants = variants::all::<F32>();
    assert_eq!(variants, variants::all::<F16>());
    let cells: Vec<Variant> = variants.iter().filter(|v| v.is_cell() && !v.is_extended()).copied().collect();
    let mut covered = BTreeMap::<Variant, usize>::new();
    for (number, &variant) in (0..).zip(&variants) {
        for seed in (number * MODELS as u64..).take(models(variant)) {
            let _place = Place((variant, "seed", seed));
            let mut worst = 0f64;
            let case = Case::new(variant, &cells, seed);
            let file = case.pack::<F32>();
            for layer in layers_of::<F32>(&file) {
                *covered.entry(Variant::of(&layer.record)).or_default() += 1;
            }
            let golden = case.reference();
            let fused = case.found::<F32>(&file, Backend::portable_fused());
            for backend in Backend::all() {
                let (out, saved) = case.found::<F32>(&file, backend);
                let same = bits(&out) == bits(&fused.0) && saved == fused.1;
                assert!(!backend.is_fused() || same, "other bits on {}", backend.name());
                assert_eq!(out.len(), golden.len());
                for (y, golden) in out.iter().zip(&golden) {
                    worst = worst.max((f64::from(*y) - golden).abs() / golden.abs().max(1.0));
                }
                assert!(worst < tolerance(variant), "{worst:e} on {}", backend.name());
            }
            if seed % 4 == 0 {
                assert_half_floats_widen(&case);
            }
        }
    }
    for variant in &variants {
        let count = covered.get(variant).copied().unwrap_or(0);
        assert!(count >= models(*variant), "{variant:?}: {count} layers only");
    }
    assert!(variants::kinds().all(|kind| covered.keys().any(|variant| variant.kind() == kind)));
}
