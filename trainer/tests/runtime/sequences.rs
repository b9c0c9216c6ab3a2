//! What must not change an answer: how a sequence is cut into calls, and what a state was used for before.

use embedded_rnn::{Backend, F32, I8, Model, Number};
use embedded_rnn_trainer::activation::Activation;
use embedded_rnn_trainer::layers::{Dense, Kind, Layer, Normalization};
use embedded_rnn_trainer::net::Network;
use embedded_rnn_trainer::pack::{AlignedBytes, Meta, quantize, random_cell, write_float};
use embedded_rnn_trainer::tensor::Matrix;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::crafted::Place;
use crate::running::{bits, model, quantized, ram, run, save, steps};

pub const FEATURES: usize = 3;
pub const TIME: usize = 23;
const OUT: usize = 5;

/// Normalization, LSTM(9), SimpleRNN(6), LSTM(4), and a Dense with softmax; and frames for it.
pub fn stack(return_sequences: bool) -> (Network<f32>, Vec<f32>) {
    let mut layers = vec![Kind::Normalization(Normalization {
        mean: Matrix::from_fn(FEATURES, 1, |k, _| k as f32 * 0.1 - 0.05),
        variance: Matrix::repeat(FEATURES, 1, 0.5),
    })];
    let mut inputs = FEATURES;
    for (seed, (cell, units)) in [("LSTM", 9), ("SimpleRNN", 6), ("LSTM", 4)].into_iter().enumerate() {
        layers
            .push(random_cell((cell, ""), (inputs, units), 1, seed as u64).unwrap().0.layers.remove(0).kind);
        inputs = units;
    }
    let Some(Kind::Recurrent(recurrent)) = layers.last_mut() else { unreachable!("an LSTM") };
    recurrent.return_sequences = return_sequences;
    layers.push(Kind::Dense(Dense {
        weight: Matrix::from_fn(OUT, inputs, |row, k| ((row * inputs + k) as f32).sin()),
        bias: Matrix::from_fn(OUT, 1, |row, _| row as f32 * 0.1),
        activation: Activation::Softmax,
        use_bias: true,
    }));
    let named = |(i, kind)| Layer { name: format!("layer_{i}"), kind };
    let layers = layers.into_iter().enumerate().map(named).collect();
    let frames = random_cell(("LSTM", ""), (FEATURES, 1), TIME, 9).unwrap().1;
    (Network::new(FEATURES, layers), frames)
}

/// The stack as a file of each kind of numbers, and the frames.
pub fn files(return_sequences: bool) -> (AlignedBytes, AlignedBytes, Vec<f32>) {
    let (network, frames) = stack(return_sequences);
    let float = write_float::<F32>(&network, &Meta::default(), &frames).unwrap();
    let int = quantize(&network, &Meta::default(), &[&frames]).unwrap().bytes;
    (AlignedBytes::new(&float), AlignedBytes::new(&int), frames)
}

/// Both kinds of numbers, both kinds of answers, every backend.
macro_rules! everywhere {
    ($check:path) => {
        for return_sequences in [false, true] {
            let (float, int, frames) = $crate::sequences::files(return_sequences);
            for backend in Backend::all() {
                let _place = Place((backend, return_sequences));
                $check(&model::<F32>(&float, backend), &frames);
                let int = model::<I8>(&int, backend);
                $check(&int, &quantized(&int, &frames));
            }
        }
    };
}
pub(crate) use everywhere;

/// `steps` cuts it into single steps: the answers after every one. Any other way must give those of them it asks for.
fn chunks_do_not_matter<N: Number>(model: &Model<'_, N>, xs: &[N::In]) {
    let (size, out_size) = (model.input_size(), model.output_size());
    let mut ram = ram(model, 0);
    let mut state = model.state(&mut ram).unwrap();
    let every = steps(model, &mut state, xs);
    let end = save(model, &state);
    let (first, last) = (&every[..out_size], &every[every.len() - out_size..]);
    assert_ne!(bits(first), bits(last), "a model that answers to what it is given");
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..50 {
        state.reset();
        let mut at = 0;
        while at < TIME {
            let count = rng.random_range(1..=TIME - at);
            let out = run(model, &mut state, &xs[at * size..(at + count) * size]);
            at += count;
            let from = if model.returns_sequences() { at - count } else { at - 1 };
            assert_eq!(bits(&out), bits(&every[from * out_size..at * out_size]), "{count} steps up to {at}");
        }
        assert_eq!(save(model, &state), end);
    }
}

#[test]
fn step_is_chunk_is_whole_sequence() {
    everywhere!(chunks_do_not_matter);
}

/// A state after `n` steps, or a self test, and a reset is a new one, in both phases.
fn reset_forgets<N: Number>(model: &Model<'_, N>, xs: &[N::In]) {
    let (mut ram, mut other) = (ram(model, 0), ram(model, 0));
    let mut new = model.state(&mut ram).unwrap();
    let start = save(model, &new);
    let golden = run(model, &mut new, xs);
    // Memory of the caller's need not be zero.
    other.fill(0xa5);
    let mut used = model.state(&mut other).unwrap();
    assert_eq!(save(model, &used), start);
    for count in 1..4 {
        run(model, &mut used, &xs[..count * model.input_size()]);
        assert_ne!(save(model, &used), start);
        if count == 3 {
            model.self_test(&mut used).unwrap();
        } else {
            used.reset();
        }
        assert_eq!(save(model, &used), start);
        assert_eq!(bits(&run(model, &mut used, xs)), bits(&golden), "reset after {count}");
        used.reset();
    }
}

#[test]
fn reset_and_self_test_lead_back_to_the_start() {
    everywhere!(reset_forgets);
}
