//! The reference forward pass of a network: one sequence at a time, simple loops, no packing, no matrix
//! products.
//!
//! It is slow and short on purpose; the loops of each layer are its
//! [`Module::forward_reference`](crate::layers::Module::forward_reference). Packed training and the runtime
//! are compared with it, and calibration observes it.

use crate::layers::{NetworkObserver, Signal};
use crate::loss::argmax;
use crate::net::{Network, States};
use crate::tensor::Real;

/// The states of each layer of a chain, for one sequence.
type Memory<T> = Vec<Vec<Vec<T>>>;

impl<T: Real> Network<T> {
    /// Returns the output for one sequence: `output_size` values, or as many per frame if the network returns
    /// sequences. `frames` holds `input_size` values per frame. A decoder is not run;
    /// [`Network::predict_forced`] and [`Network::decode`] run it.
    pub fn predict(&self, frames: &[T]) -> Vec<T> {
        self.forward_reference(frames, &mut self.memory(), &mut |_, _, _| {})
    }

    /// Runs [`Network::predict`] from the given initial states, `[hidden x 1]` each.
    pub fn predict_from(&self, frames: &[T], initial: &States<T>) -> Vec<T> {
        let mut memory = self.memory();
        for (own, initial) in memory.iter_mut().zip(initial) {
            own.iter_mut().zip(initial).for_each(|(own, initial)| own.copy_from_slice(initial.as_slice()));
        }
        self.forward_reference(frames, &mut memory, &mut |_, _, _| {})
    }

    /// Returns the output of an encoder-decoder with teacher forcing, whose input at each step is the
    /// previous id of `target`: `output_size` values for each id of `target`, and for the end.
    pub fn predict_forced(&self, source: &[T], target: &[T]) -> Vec<T> {
        self.predict_observed(source, target, &mut |_, _, _| {})
    }

    /// Runs [`Network::predict`] and passes the values inside to `observe`, layer by layer and frame by
    /// frame. With a decoder it runs [`Network::predict_forced`], whose layers are numbered after those of
    /// the encoder; without one, `target` is not read.
    pub fn predict_observed(&self, frames: &[T], target: &[T], observe: NetworkObserver<'_, T>) -> Vec<T> {
        let mut memory = self.memory();
        let output = self.forward_reference(frames, &mut memory, observe);
        let Some(decoder) = &self.decoder else { return output };
        let inputs: Vec<T> = std::iter::once(T::zero()).chain(target.iter().copied()).collect();
        let mut observe = |layer, signal, values: &[T]| observe(self.layers.len() + layer, signal, values);
        decoder.forward_reference(&inputs, &mut decoder.continued(memory), &mut observe)
    }

    /// Generates a sequence from a source: at each step the most probable class, which is the input of the
    /// next step. Generation ends before class 0, or after `most` steps. The result is empty without a
    /// decoder.
    pub fn decode(&self, source: &[T], most: usize) -> Vec<u32> {
        let Some(decoder) = &self.decoder else { return Vec::new() };
        let mut memory = self.memory();
        self.forward_reference(source, &mut memory, &mut |_, _, _| {});
        let mut memory = decoder.continued(memory);
        let mut generated = Vec::new();
        while generated.len() < most {
            let last = T::of(generated.last().map_or(0.0, |&class: &u32| class.into()));
            let output = decoder.forward_reference(&[last], &mut memory, &mut |_, _, _| {});
            match argmax(&output) {
                0 => break,
                class => generated.push(class as u32),
            }
        }
        generated
    }

    /// Returns the states at the start of a sequence.
    fn memory(&self) -> Memory<T> {
        self.layers.iter().map(|layer| layer.kind.get().initial_states()).collect()
    }

    /// Returns the initial states of this chain after another one: its recurrent layers start from the states
    /// of the other's recurrent layers, in order.
    fn continued(&self, memory: Memory<T>) -> Memory<T> {
        let mut own = self.memory();
        let finals = memory.into_iter().filter(|states| !states.is_empty());
        own.iter_mut()
            .filter(|states| !states.is_empty())
            .zip(finals)
            .for_each(|(own, finals)| *own = finals);
        own
    }

    fn forward_reference(
        &self,
        frames: &[T],
        memory: &mut Memory<T>,
        observe: NetworkObserver<'_, T>,
    ) -> Vec<T> {
        let mut frames: Vec<Vec<T>> = frames.chunks_exact(self.input_size).map(<[T]>::to_vec).collect();
        let has_residual = self.layers.iter().any(|layer| layer.kind.span().is_some());
        let mut inputs = Vec::new();
        for (index, (layer, states)) in self.layers.iter().zip(memory).enumerate() {
            if has_residual {
                inputs.push(frames.clone());
            }
            if let Some(span) = layer.kind.span() {
                let earlier = &inputs[index - span];
                frames.iter_mut().zip(earlier).for_each(|(frame, earlier)| frame.extend(earlier));
            }
            let mut observe = |signal, values: &[T]| observe(index, signal, values);
            frames.iter().for_each(|frame| observe(Signal::Input, frame));
            frames = layer.kind.get().forward_reference(frames, states, &mut observe);
            frames.iter().for_each(|frame| observe(Signal::Output, frame));
        }
        frames.concat()
    }
}
