//! Random float layers from random states: every fused backend the same bits, all of them near plain loops in f64.

use embedded_rnn::{Backend, F16, F32, Model};
use embedded_rnn_trainer::activation::Activation;
use embedded_rnn_trainer::cells::{AnyCell, Lstm, SimpleRnn};
use embedded_rnn_trainer::layers::{Dense, Kind, Layer, Recurrent};
use embedded_rnn_trainer::net::Network;
use embedded_rnn_trainer::pack::{AlignedBytes, FloatWeights, Meta, write_float};
use embedded_rnn_trainer::tensor::Matrix;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::crafted::{self, Place};
use crate::files::widened;
use crate::running::{bits, model, ram, save, steps};

const LAYERS: u64 = 1_000;
const STEPS: usize = 5;
/// Units of a panel.
const LANES: usize = 8;

/// Largest difference from f64, relative to the answer where that is above 1. Rounding, of sums of up to 81 terms and of
/// the activations, grows over the steps of layers that are not bounded by one; the worst of these is 1.37e-6.
const TOLERANCE: f64 = 1.6e-6;

/// A layer, and where its sequence starts.
struct Case {
    network: Network<f32>,
    /// h, and for an LSTM c.
    states: Vec<Vec<f32>>,
    frames: Vec<f32>,
}

fn case(seed: u64) -> Case {
    use Activation::{Linear, Relu, Sigmoid, Softmax, Tanh};
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (inputs, units) = (rng.random_range(1..=40), rng.random_range(1..=40));
    let recurrent = |cell| Kind::Recurrent(Recurrent::new(cell, true));
    let (kind, states) = match seed % 4 {
        0 | 1 => {
            let [w_ih, w_hh, bias] = matrices(4, inputs, units, &mut rng);
            (recurrent(AnyCell::Lstm(Lstm::from_weights(w_ih, w_hh, bias))), 2)
        }
        2 => {
            let [w_ih, w_hh, bias] = matrices(1, inputs, units, &mut rng);
            let activation = *[Tanh, Relu, Linear, Sigmoid].choose(&mut rng).unwrap();
            (recurrent(AnyCell::SimpleRnn(SimpleRnn::from_weights(w_ih, w_hh, bias, activation))), 1)
        }
        _ => {
            let [weight, _, bias] = matrices(1, inputs, units, &mut rng);
            let activation = *[Linear, Relu, Tanh, Sigmoid, Softmax].choose(&mut rng).unwrap();
            (Kind::Dense(Dense::from_weights(weight, bias, activation)), 0)
        }
    };
    let mut even = |count: usize, range: f32| (0..count).map(|_| rng.random_range(-range..range)).collect();
    let states = [1.0, 3.0][..states].iter().map(|&range| even(units, range)).collect();
    let frames = even(STEPS * inputs, 2.0);
    let layers = vec![Layer { name: "layer".into(), kind }];
    Case { network: Network::new(inputs, layers), states, frames }
}

/// `w_ih`, `w_hh` and bias. Not centred at zero, so that a sign or an order mixed up does not cancel.
fn matrices(gates: usize, inputs: usize, units: usize, rng: &mut ChaCha8Rng) -> [Matrix<f32>; 3] {
    let limit = 1.5 / (units as f32).sqrt();
    let mut even = || rng.random_range(-0.8 * limit..limit);
    [inputs, units, 1].map(|columns| Matrix::from_fn(gates * units, columns, |_, _| even()))
}

/// The words of a saved state: c, then h, each filled up to whole panels.
fn words(states: &[Vec<f32>]) -> Vec<u32> {
    let panels = |state: &Vec<f32>| {
        let mut words: Vec<u32> = state.iter().map(|v| v.to_bits()).collect();
        words.resize(state.len().next_multiple_of(LANES), 0);
        words
    };
    states.iter().rev().flat_map(panels).collect()
}

/// Outputs of every step in plain loops, from the same state.
fn reference(case: &Case) -> Vec<f64> {
    let network = case.network.cast::<f64>();
    let frames: Vec<f64> = case.frames.iter().map(|&x| x.into()).collect();
    let Kind::Recurrent(recurrent) = &network.layers[0].kind else { return network.predict(&frames) };
    let mut states: Vec<Vec<f64>> =
        case.states.iter().map(|state| state.iter().map(|&v| v.into()).collect()).collect();
    let mut step = |x: &[f64]| {
        recurrent.cell.get().step(x, &mut states);
        states[0].clone()
    };
    frames.chunks_exact(network.input_size).flat_map(&mut step).collect()
}

/// Outputs, and the state after them.
fn outputs<N: FloatWeights<Word = f32>>(
    file: &AlignedBytes,
    case: &Case,
    backend: Backend,
) -> (Vec<f32>, Vec<u8>) {
    let model: Model<'_, N> = model(file, backend);
    let mut ram = ram(&model, 0);
    let mut state = model.state(&mut ram).unwrap();
    state.restore(&model, &crafted::saved(file, &words(&case.states))).unwrap();
    let out = steps(&model, &mut state, &case.frames);
    (out, save(&model, &state))
}

#[test]
fn float_layers_agree_with_f64_and_fused_ones_bit_for_bit() {
    let mut worst = 0f64;
    for seed in 0..LAYERS {
        let _place = Place(("seed", seed));
        let case = case(seed);
        let file =
            AlignedBytes::new(&write_float::<F32>(&case.network, &Meta::default(), &case.frames).unwrap());
        let golden = reference(&case);
        let (fused, fused_state) = outputs::<F32>(&file, &case, Backend::portable_fused());
        for backend in Backend::all() {
            let (out, state) = outputs::<F32>(&file, &case, backend);
            let same = bits(&out) == bits(&fused) && state == fused_state;
            assert!(!backend.is_fused() || same, "other bits on {}", backend.name());
            for (y, golden) in out.iter().zip(&golden) {
                worst = worst.max((f64::from(*y) - golden).abs() / golden.abs().max(1.0));
            }
            assert!(worst < TOLERANCE, "{worst:e} on {}", backend.name());
        }
    }
}

/// Half floats widen exactly, so nothing else may differ from an f32 model of the rounded weights.
#[test]
fn half_floats_give_the_bits_of_their_weights_in_f32() {
    for seed in 0..LAYERS / 4 {
        let _place = Place(("seed", seed));
        let case = case(seed);
        let half =
            AlignedBytes::new(&write_float::<F16>(&case.network, &Meta::default(), &case.frames).unwrap());
        let single = widened(&half);
        assert!(half.len() < single.len());
        for backend in Backend::all() {
            let (out, _) = outputs::<F16>(&half, &case, backend);
            let (expected, _) = outputs::<F32>(&single, &case, backend);
            assert!(bits(&out) == bits(&expected), "other bits on {}", backend.name());
        }
    }
}
