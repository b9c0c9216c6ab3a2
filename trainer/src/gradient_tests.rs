//! Whole networks against central differences, and batches against sequences one by one.

use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::activation::Activation;
use crate::cells::{AnyCell, Lstm, SimpleRnn};
use crate::initializers::{Purpose, stream};
use crate::layers::{Dense, Kind, Layer, Normalization, Recurrent};
use crate::loss::Targets;
use crate::net::Network;
use crate::tensor::{Flow, Matrix, Steps};

const LENGTHS: [usize; 3] = [4, 4, 2];
const FEATURES: usize = 2;

fn random(rows: usize, columns: usize, rng: &mut ChaCha8Rng) -> Matrix<f64> {
    Matrix::from_fn(rows, columns, |_, _| rng.random_range(-1.0..1.0))
}

/// Normalization, LSTM(3), SimpleRNN(4), Dense(5, tanh), Dense(3, `end`).
fn network(return_sequences: bool, end: Activation, rng: &mut ChaCha8Rng) -> Network<f64> {
    let measured = Normalization {
        mean: random(FEATURES, 1, rng),
        variance: random(FEATURES, 1, rng).map(|v| v * v + 0.1),
    };
    let lstm = AnyCell::Lstm(Lstm::new(FEATURES, 3, true, rng));
    let rnn = AnyCell::SimpleRnn(SimpleRnn::new(3, 4, Activation::Tanh, rng));
    let kinds = [
        Kind::Normalization(measured),
        Kind::Recurrent(Recurrent { cell: lstm, return_sequences: true }),
        Kind::Recurrent(Recurrent { cell: rnn, return_sequences }),
        Kind::Dense(Dense::new(4, 5, Activation::Tanh, rng)),
        Kind::Dense(Dense::new(5, 3, end, rng)),
    ];
    let layers = kinds.into_iter().enumerate().map(|(k, kind)| Layer { name: k.to_string(), kind });
    let mut network = Network { input_size: FEATURES, layers: layers.collect() };
    for parameter in network.parameters_mut() {
        *parameter += random(parameter.nrows(), parameter.ncols(), rng) * 0.3;
    }
    network
}

fn batch(rng: &mut ChaCha8Rng) -> Flow<f64> {
    let steps = Steps::new(&LENGTHS);
    Flow { values: random(FEATURES, steps.columns(), rng), steps }
}

#[test]
fn gradients_equal_central_differences_for_both_losses_and_all_heads() {
    let mut rng = stream(11, Purpose::Weights, 0);
    for return_sequences in [false, true] {
        let input = batch(&mut rng);
        let columns = if return_sequences { input.values.ncols() } else { LENGTHS.len() };
        let labels = Targets::Labels((0..columns as u32).map(|c| c % 3).collect());
        check(&network(return_sequences, Activation::Softmax, &mut rng), &input, &labels);
        for end in [Activation::Linear, Activation::Relu, Activation::Sigmoid, Activation::Softmax] {
            let values = Targets::Values(random(3, columns, &mut rng));
            check(&network(return_sequences, end, &mut rng), &input, &values);
        }
    }
}

fn check(network: &Network<f64>, input: &Flow<f64>, targets: &Targets<f64>) {
    let columns = network.forward(input).ncols();
    let gradients = network.gradients(input, targets, columns).parameters;
    assert_eq!(gradients.len(), network.parameters().len());
    for (p, gradient) in gradients.iter().enumerate() {
        for k in 0..gradient.len() {
            let moved = |by: f64| {
                let mut network = network.clone();
                network.parameters_mut()[p][k] += by;
                targets.score(&network.forward(input)).mean_loss()
            };
            let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!(
                (gradient[k] - difference).abs() < 1e-8,
                "parameter {p} number {k}: {} by going back, {difference} by differences",
                gradient[k]
            );
        }
    }
}

#[test]
fn batch_equals_reference_one_by_one() {
    let mut rng = stream(12, Purpose::Weights, 0);
    for return_sequences in [false, true] {
        let network = network(return_sequences, Activation::Softmax, &mut rng);
        let input = batch(&mut rng);
        let output = network.forward(&input);
        for (s, &length) in LENGTHS.iter().enumerate() {
            let columns: Vec<usize> = (0..length).map(|t| input.steps.column(t, s)).collect();
            let frames = input.values.select_columns(&columns);
            let from = if return_sequences { columns } else { vec![s] };
            let plain = network.predict(frames.as_slice());
            let packed = output.select_columns(&from);
            assert_eq!(plain.len(), packed.len());
            for (a, b) in plain.iter().zip(packed.iter()) {
                assert!((a - b).abs() < 1e-13, "sequence {s}: {a} one by one, {b} in the batch");
            }
        }
    }
}

/// Training adds up gradients of sequences of different lengths: it must not matter how they were batched.
#[test]
fn gradients_of_a_batch_are_the_sum_of_those_of_its_sequences() {
    let mut rng = stream(13, Purpose::Weights, 0);
    let network = network(false, Activation::Softmax, &mut rng);
    let input = batch(&mut rng);
    let whole = network.gradients(&input, &Targets::Labels(vec![2, 0, 1]), 3).parameters;
    let mut sum: Vec<Matrix<f64>> = whole.iter().map(|g| Matrix::zeros(g.nrows(), g.ncols())).collect();
    for (s, label) in [(0, 2), (1, 0), (2, 1)] {
        let columns: Vec<usize> = (0..LENGTHS[s]).map(|t| input.steps.column(t, s)).collect();
        let steps: Arc<Steps> = Steps::new(&LENGTHS[s..=s]);
        let alone = Flow { values: input.values.select_columns(&columns), steps };
        let part = network.gradients(&alone, &Targets::Labels(vec![label]), 3).parameters;
        sum.iter_mut().zip(&part).for_each(|(sum, part)| *sum += part);
    }
    for (whole, sum) in whole.iter().zip(&sum) {
        assert!((whole - sum).abs().max() < 1e-14);
    }
}
