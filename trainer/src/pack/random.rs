//! Networks of one cell with random weights, for boards, benchmarks and tests.

use anyhow::Result;
use embedded_rnn::F32;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Meta, quantize, write_float};
use crate::activation::Activation;
use crate::cells::{AnyCell, Gru, Lstm, SimpleRnn};
use crate::layers::{Kind, Layer, Recurrent};
use crate::net::Network;
use crate::tensor::Matrix;

/// A cell by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// SimpleRNN with tanh.
    SimpleRnn,
    /// LSTM.
    Lstm,
    /// GRU, the reset gate after the recurrent product.
    Gru,
    /// GRU, the reset gate before it.
    GruResetBefore,
}

/// One cell over `input_size` features with weights even in +-1.5/sqrt(H) and biases too, and a sequence of `steps`
/// frames even in +-1: asymmetric, and all of it from `seed`.
pub fn random_net(
    cell: CellKind,
    input_size: usize,
    hidden_size: usize,
    steps: usize,
    seed: u64,
) -> (Network<f32>, Vec<f32>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let limit = 1.5 / (hidden_size as f32).sqrt();
    let mut matrix = |rows, columns| Matrix::from_fn(rows, columns, |_, _| rng.random_range(-limit..limit));
    let cell = match cell {
        CellKind::SimpleRnn => AnyCell::SimpleRnn(SimpleRnn::from_weights(
            matrix(hidden_size, input_size),
            matrix(hidden_size, hidden_size),
            matrix(hidden_size, 1),
            Activation::Tanh,
        )),
        CellKind::Lstm => AnyCell::Lstm(Lstm::from_weights(
            matrix(4 * hidden_size, input_size),
            matrix(4 * hidden_size, hidden_size),
            matrix(4 * hidden_size, 1),
        )),
        CellKind::Gru | CellKind::GruResetBefore => {
            let reset_after = cell == CellKind::Gru;
            let recurrent_bias = matrix(3 * hidden_size, 1);
            AnyCell::Gru(Gru {
                w_ih: matrix(3 * hidden_size, input_size),
                w_hh: matrix(3 * hidden_size, hidden_size),
                bias: matrix(3 * hidden_size, 1),
                recurrent_bias: if reset_after { recurrent_bias } else { Matrix::zeros(3 * hidden_size, 1) },
                activation: Activation::Tanh,
                recurrent_activation: Activation::Sigmoid,
                reset_after,
                use_bias: true,
            })
        }
    };
    let kind = Kind::Recurrent(Recurrent::new(cell, true));
    let network = Network::new(input_size, vec![Layer { name: "cell".into(), kind }]);
    let frames = (0..input_size * steps).map(|_| rng.random_range(-1.0..1.0)).collect();
    (network, frames)
}

/// The f32 and the i8 model file of a [`random_net`] calibrated on its own sequence.
pub fn random_files(network: &Network<f32>, frames: &[f32]) -> Result<(Vec<u8>, Vec<u8>)> {
    let meta = Meta { name: "random".into(), ..Meta::default() };
    Ok((write_float::<F32>(network, &meta, frames)?, quantize(network, &meta, &[frames])?.bytes))
}
