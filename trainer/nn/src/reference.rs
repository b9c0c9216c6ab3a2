//! What a network means: one sequence at a time, plain loops, no packing, no matrix products.
//!
//! Slow and short on purpose; the loops of each layer are its
//! [`Module::forward_reference`](crate::layers::Module::forward_reference). The
//! packed way of training and the runtime are compared with it, and calibration listens in on it.

use crate::layers::{NetworkObserver, Signal};
use crate::loss::argmax;
use crate::net::{Network, States};
use crate::tensor::Real;

/// What a chain remembers of one sequence: the states of each of its layers.
type Memory<T> = Vec<Vec<Vec<T>>>;

impl<T: Real> Network<T> {
    /// What comes out for one sequence: `frames` holds `input_size` values a frame. `output_size` values, or as many
    /// for every frame if the network returns sequences. A decoder is not run: [`Network::predict_forced`] and
    /// [`Network::decode`] do that.
    pub fn predict(&self, frames: &[T]) -> Vec<T> {
        self.forward_reference(frames, &mut self.memory(), &mut |_, _, _| {})
    }

    /// [`Network::predict`] from states other than zeros, `[hidden x 1]` each.
    pub fn predict_from(&self, frames: &[T], initial: &States<T>) -> Vec<T> {
        let mut memory = self.memory();
        for (own, initial) in memory.iter_mut().zip(initial) {
            own.iter_mut().zip(initial).for_each(|(own, initial)| own.copy_from_slice(initial.as_slice()));
        }
        self.forward_reference(frames, &mut memory, &mut |_, _, _| {})
    }

    /// What an encoder-decoder gives if the decoder is told at each step what should have come before: `output_size`
    /// values for each id of `target`, and for the end.
    pub fn predict_forced(&self, source: &[T], target: &[T]) -> Vec<T> {
        self.predict_observed(source, target, &mut |_, _, _| {})
    }

    /// [`Network::predict`], telling `observe` layer by layer and frame by frame what the numbers inside are. If there is a
    /// decoder, [`Network::predict_forced`], its layers counted on from the encoder's; else `target` is not read.
    pub fn predict_observed(&self, frames: &[T], target: &[T], observe: NetworkObserver<'_, T>) -> Vec<T> {
        let mut memory = self.memory();
        let output = self.forward_reference(frames, &mut memory, observe);
        let Some(decoder) = &self.decoder else { return output };
        let inputs: Vec<T> = std::iter::once(T::zero()).chain(target.iter().copied()).collect();
        let mut observe = |layer, signal, values: &[T]| observe(self.layers.len() + layer, signal, values);
        decoder.forward_reference(&inputs, &mut decoder.taken_over(memory), &mut observe)
    }

    /// What an encoder-decoder makes of a source: at each step the likeliest class, which is the next step's input. Ends
    /// before class 0, or after `most` steps. Nothing without a decoder.
    pub fn decode(&self, source: &[T], most: usize) -> Vec<u32> {
        let Some(decoder) = &self.decoder else { return Vec::new() };
        let mut memory = self.memory();
        self.forward_reference(source, &mut memory, &mut |_, _, _| {});
        let mut memory = decoder.taken_over(memory);
        let mut written = Vec::new();
        while written.len() < most {
            let last = T::of(written.last().map_or(0.0, |&class: &u32| class.into()));
            let output = decoder.forward_reference(&[last], &mut memory, &mut |_, _, _| {});
            match argmax(&output) {
                0 => break,
                class => written.push(class as u32),
            }
        }
        written
    }

    /// States of zeros.
    fn memory(&self) -> Memory<T> {
        let zeros = |sizes: Vec<usize>| sizes.into_iter().map(|size| vec![T::zero(); size]).collect();
        self.layers.iter().map(|layer| zeros(layer.kind.get().states())).collect()
    }

    /// What this chain starts from after another: its recurrent layers take the states of the other's, first to first.
    fn taken_over(&self, memory: Memory<T>) -> Memory<T> {
        let mut own = self.memory();
        let given = memory.into_iter().filter(|states| !states.is_empty());
        own.iter_mut().filter(|states| !states.is_empty()).zip(given).for_each(|(own, given)| *own = given);
        own
    }

    fn forward_reference(
        &self,
        frames: &[T],
        memory: &mut Memory<T>,
        observe: NetworkObserver<'_, T>,
    ) -> Vec<T> {
        let mut frames: Vec<Vec<T>> = frames.chunks_exact(self.input_size).map(<[T]>::to_vec).collect();
        for (index, (layer, states)) in self.layers.iter().zip(memory).enumerate() {
            let mut observe = |signal, values: &[T]| observe(index, signal, values);
            frames.iter().for_each(|frame| observe(Signal::Input, frame));
            frames = layer.kind.get().forward_reference(frames, states, &mut observe);
            frames.iter().for_each(|frame| observe(Signal::Output, frame));
        }
        frames.concat()
    }
}
