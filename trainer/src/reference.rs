//! What a network means: one sequence at a time, plain loops, no packing, no matrix products.
//!
//! Slow and short on purpose; the loops of each layer are its [`Compute::plain`](crate::layers::Compute::plain). The
//! packed way of training and the runtime are compared with it, and calibration listens in on it.

use crate::net::{Network, States};
use crate::tensor::Real;

/// Something inside a layer that quantization has to know the range of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// What a frame brings to the layer.
    Input,
    /// The sums before the activations, all gates of a recurrent layer or the outputs of a dense one.
    Sums,
    /// The state with this number after the step, as named by [`Cell::states`](crate::cells::Cell::states); of a
    /// bidirectional layer those of the forward direction first.
    State(usize),
    /// What leaves the layer.
    Output,
}

/// What hears the numbers inside a layer.
pub type Tap<'a, T> = &'a mut dyn FnMut(Signal, &[T]);

impl<T: Real> Network<T> {
    /// What comes out for one sequence: `frames` holds `input_size` values a frame. `output_size` values, or as many
    /// for every frame if the network returns sequences.
    pub fn predict(&self, frames: &[T]) -> Vec<T> {
        self.predict_from(frames, &States::new())
    }

    /// [`Network::predict`] from states other than zeros, `[hidden x 1]` each.
    pub fn predict_from(&self, frames: &[T], initial: &States<T>) -> Vec<T> {
        self.plain(frames, initial, &mut |_, _, _| {})
    }

    /// [`Network::predict`], telling `tap` layer by layer and frame by frame what the numbers inside are.
    pub fn predict_tapped(&self, frames: &[T], tap: &mut dyn FnMut(usize, Signal, &[T])) -> Vec<T> {
        self.plain(frames, &States::new(), tap)
    }

    fn plain(&self, frames: &[T], initial: &States<T>, tap: &mut dyn FnMut(usize, Signal, &[T])) -> Vec<T> {
        let mut frames: Vec<Vec<T>> = frames.chunks_exact(self.input_size).map(<[T]>::to_vec).collect();
        for (index, layer) in self.layers.iter().enumerate() {
            let mut tap = |signal, values: &[T]| tap(index, signal, values);
            frames.iter().for_each(|frame| tap(Signal::Input, frame));
            let own = initial.get(index).map_or(&[][..], Vec::as_slice);
            let states: Vec<Vec<T>> = own.iter().map(|state| state.as_slice().to_vec()).collect();
            frames = layer.kind.get().plain(frames, &states, &mut tap);
            frames.iter().for_each(|frame| tap(Signal::Output, frame));
        }
        frames.concat()
    }
}
