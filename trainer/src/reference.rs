//! What a network means: one sequence at a time, plain loops, no packing, no matrix products.
//!
//! Slow and short on purpose. The packed way of training and the runtime are compared with it, and calibration
//! listens in on it.

use crate::cells::{Cell, add_columns};
use crate::layers::{Dense, Kind, Normalization};
use crate::net::Network;
use crate::tensor::Real;

/// Something inside a layer that quantization has to know the range of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// What a frame brings to the layer.
    Input,
    /// The sums before the activations, all gates of a recurrent layer or the outputs of a dense one.
    Sums,
    /// The state with this number after the step, as named by [`Cell::states`].
    State(usize),
    /// What leaves the layer.
    Output,
}

impl<T: Real> Network<T> {
    /// What comes out for one sequence: `frames` holds `input_size` values a frame. `output_size` values, or as many
    /// for every frame if the network returns sequences.
    pub fn predict(&self, frames: &[T]) -> Vec<T> {
        self.predict_tapped(frames, &mut |_, _, _| {})
    }

    /// [`Network::predict`], telling `tap` layer by layer and frame by frame what the numbers inside are.
    pub fn predict_tapped(&self, frames: &[T], tap: &mut dyn FnMut(usize, Signal, &[T])) -> Vec<T> {
        let mut frames: Vec<Vec<T>> = frames.chunks_exact(self.input_size).map(<[T]>::to_vec).collect();
        for (index, layer) in self.layers.iter().enumerate() {
            let mut tap = |signal, values: &[T]| tap(index, signal, values);
            frames.iter().for_each(|frame| tap(Signal::Input, frame));
            frames = match &layer.kind {
                Kind::Normalization(layer) => frames.iter().map(|x| normalize(layer, x)).collect(),
                Kind::Dense(layer) => frames.iter().map(|x| dense(layer, x, &mut tap)).collect(),
                Kind::Recurrent(layer) => {
                    let mut outputs = recurrent(layer.cell.get(), &frames, &mut tap);
                    if !layer.return_sequences {
                        outputs.drain(..outputs.len().saturating_sub(1));
                    }
                    outputs
                }
            };
            frames.iter().for_each(|frame| tap(Signal::Output, frame));
        }
        frames.concat()
    }
}

fn normalize<T: Real>(layer: &Normalization<T>, x: &[T]) -> Vec<T> {
    let deviation = layer.deviation();
    x.iter().enumerate().map(|(k, &x)| (x - layer.mean[k]) / deviation[k]).collect()
}

fn dense<T: Real>(layer: &Dense<T>, x: &[T], tap: &mut dyn FnMut(Signal, &[T])) -> Vec<T> {
    let mut y = layer.bias.as_slice().to_vec();
    add_columns(&mut y, &layer.weight, x);
    tap(Signal::Sums, &y);
    layer.activation.forward(&mut y);
    y
}

fn recurrent<T: Real>(
    cell: &dyn Cell<T>,
    frames: &[Vec<T>],
    tap: &mut dyn FnMut(Signal, &[T]),
) -> Vec<Vec<T>> {
    let mut states = vec![vec![T::zero(); cell.hidden_size()]; cell.states().len()];
    let mut outputs = Vec::with_capacity(frames.len());
    for frame in frames {
        tap(Signal::Sums, &cell.step(frame, &mut states));
        for (k, state) in states.iter().enumerate() {
            tap(Signal::State(k), state);
        }
        outputs.push(states[0].clone());
    }
    outputs
}
