//! Layers with 8-bit weights in units of 1/256, as in RNNoise and WebRTC, and models of them.

use std::path::Path;

use embedded_rnn::{Backend, F32};
use embedded_rnn_trainer::activation::Activation;
use embedded_rnn_trainer::cells::AnyCell;
use embedded_rnn_trainer::export::Activations;
use embedded_rnn_trainer::import::cells::{CellKind, CellWeights, Framework, cell};
use embedded_rnn_trainer::layers::{Dense, Kind, Layer, Recurrent};
use embedded_rnn_trainer::net::Network;
use embedded_rnn_trainer::pack::{Meta, write_float};
use embedded_rnn_trainer::session::{RunMode, Session};
use embedded_rnn_trainer::tensor::Matrix;

/// The real value of one unit.
const SCALE: f32 = 1.0 / 256.0;

/// Returns a matrix `[rows x columns]` from the weights of one input after another.
fn matrix(rows: usize, weights: &[f32]) -> Matrix<f32> {
    Matrix::from_column_slice(rows, weights.len() / rows, weights) * SCALE
}

/// Returns a Dense layer with one unit per bias.
pub fn dense(weights: &[f32], bias: &[f32], activation: Activation) -> Kind<f32> {
    let units = bias.len();
    Kind::Dense(Dense::from_weights(matrix(units, weights), matrix(units, bias), activation))
}

/// Returns a GRU with one unit per three biases. Gates z r h in Keras's order; reset before; relu instead of
/// tanh.
pub fn gru(weights: &[f32], recurrent: &[f32], bias: &[f32]) -> Kind<f32> {
    let rows = bias.len();
    let weights = CellWeights {
        w_ih: matrix(rows, weights),
        w_hh: matrix(rows, recurrent),
        bias: Some(matrix(rows, bias)),
        recurrent_bias: None,
    };
    let activations = Activations { value: Activation::Relu, recurrent: Activation::Sigmoid };
    let cell: AnyCell<f32> =
        cell(CellKind::Gru { reset_after: false }, Framework::Keras, weights, activations).unwrap();
    Kind::Recurrent(Recurrent::new(cell, true))
}

/// Returns the network of these layers.
pub fn network(input_size: usize, kinds: Vec<Kind<f32>>) -> Network<f32> {
    let name = |(k, kind)| Layer { name: format!("layer{k}"), kind };
    Network::new(input_size, kinds.into_iter().enumerate().map(name).collect())
}

/// Runs the f32 model of a network in streaming mode on a backend.
pub fn run(network: &Network<f32>, frames: &[f32], backend: Backend) -> Vec<f32> {
    let golden = &frames[..network.input_size];
    let bytes = write_float::<F32>(network, &Meta::default(), golden).unwrap();
    predict(&bytes, frames, backend)
}

/// Runs a model in streaming mode on a backend.
pub fn predict(bytes: &[u8], frames: &[f32], backend: Backend) -> Vec<f32> {
    predict_in(RunMode::Streaming, bytes, frames, backend)
}

/// Runs a model on a backend.
pub fn predict_in(mode: RunMode, bytes: &[u8], frames: &[f32], backend: Backend) -> Vec<f32> {
    let model = Session::new(Path::new("model"), bytes).unwrap().with_backend(backend);
    model.predict(frames, mode).unwrap()
}

/// Runs the network in f64 with the reference forward and exact activations.
pub fn exact(network: &Network<f32>, frames: &[f32]) -> Vec<f64> {
    let frames: Vec<f64> = frames.iter().map(|&value| value.into()).collect();
    network.cast::<f64>().predict(&frames)
}

/// Returns the largest difference, and the mean.
pub fn difference<A: Copy + Into<f64>, B: Copy + Into<f64>>(a: &[A], b: &[B]) -> [f64; 2] {
    assert_eq!(a.len(), b.len());
    let each = a.iter().zip(b).map(|(&a, &b)| (a.into() - b.into()).abs());
    assert!(each.clone().all(f64::is_finite));
    let (worst, sum) = each.fold((0.0f64, 0.0), |(worst, sum), d| (worst.max(d), sum + d));
    [worst, sum / a.len() as f64]
}

/// Prints a difference, and checks that the largest is below a bound: a fifth above the worst of all
/// backends, unless stated otherwise.
pub fn assert_within([worst, mean]: [f64; 2], bound: f64, what: &str) {
    println!("{what}: worst {worst:.2e}, mean {mean:.2e}");
    assert!(worst < bound, "{what}: {worst:e}, allowed: {bound:e}");
}
