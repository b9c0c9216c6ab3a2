//! tanh and sigmoid of RNNoise and WebRTC, from a table with a step of 1/25, and layers with them: reference
//! loops in f64. With them a network has the outputs of its engine; the rest of the difference between engine
//! and model is due to the table.

use embedded_rnn_trainer::activation::Activation;
use embedded_rnn_trainer::cells::{AnyCell, Gru};
use embedded_rnn_trainer::layers::{Kind, Layer};
use embedded_rnn_trainer::net::Network;
use embedded_rnn_trainer::tensor::Matrix;

/// The values of tanh from 0 to 8.
pub struct Table(pub Vec<f32>);

impl Table {
    /// Returns tanh from the nearest entry, its slope and its curvature.
    fn tanh(&self, x: f64) -> f64 {
        if x.abs() >= 8.0 {
            return x.signum();
        }
        let place = (0.5 + 25.0 * x.abs()).floor();
        let (y, rest) = (f64::from(self.0[place as usize]), x.abs() - 0.04 * place);
        (y + rest * (1.0 - y * y) * (1.0 - y * rest)).copysign(x)
    }

    fn sigmoid(&self, x: f64) -> f64 {
        0.5 + 0.5 * self.tanh(0.5 * x)
    }

    fn apply(&self, activation: Activation, x: f64) -> f64 {
        match activation {
            Activation::Tanh => self.tanh(x),
            Activation::Sigmoid => self.sigmoid(x),
            other => panic!("{other:?}: in neither network"),
        }
    }

    /// Runs a network, frame by frame.
    pub fn run(&self, network: &Network<f32>, frames: &[f32]) -> Vec<f64> {
        let mut states: Vec<Vec<f64>> = network.layers.iter().map(|_| vec![0.0; 256]).collect();
        let frame = |frame: &[f32]| {
            let mut x: Vec<f64> = frame.iter().map(|&value| value.into()).collect();
            for (Layer { kind, .. }, state) in network.layers.iter().zip(&mut states) {
                x = match kind {
                    Kind::Dense(layer) => {
                        let values = affine(&layer.weight, &x, layer.bias.as_slice());
                        values.into_iter().map(|value| self.apply(layer.activation, value)).collect()
                    }
                    Kind::Recurrent(layer) => {
                        let AnyCell::Gru(cell) = &layer.cell else { panic!("a GRU") };
                        self.gru(cell, &x, state)
                    }
                    _ => panic!("in neither network"),
                };
            }
            x
        };
        frames.chunks_exact(network.input_size).flat_map(frame).collect()
    }

    /// Computes a time step: reset before, relu.
    fn gru(&self, cell: &Gru<f32>, x: &[f64], state: &mut Vec<f64>) -> Vec<f64> {
        let hidden = cell.w_hh.ncols();
        state.truncate(hidden);
        let input = affine(&cell.w_ih, x, cell.bias.as_slice());
        let zeros = vec![0.0; 3 * hidden];
        let gates = affine(&cell.w_hh, state, &zeros);
        let gate = |index: usize| self.sigmoid(input[index] + gates[index]);
        let reset: Vec<f64> = state.iter().enumerate().map(|(k, h)| h * gate(hidden + k)).collect();
        let candidate = affine(&cell.w_hh, &reset, &zeros);
        for (k, h) in state.iter_mut().enumerate() {
            let n = (input[2 * hidden + k] + candidate[2 * hidden + k]).max(0.0);
            let z = gate(k);
            *h = z * *h + (1.0 - z) * n;
        }
        state.clone()
    }
}

/// Returns `W x + b`.
fn affine(weights: &Matrix<f32>, x: &[f64], bias: &[f32]) -> Vec<f64> {
    let row = |(k, &bias): (usize, &f32)| {
        let products = weights.row(k).iter().zip(x).map(|(&w, x)| f64::from(w) * x).collect::<Vec<_>>();
        f64::from(bias) + products.iter().sum::<f64>()
    };
    bias.iter().enumerate().map(row).collect()
}
