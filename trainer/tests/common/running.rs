//! Runs models over sequences.

use anyhow::Result;
use bytemuck::Zeroable;
use embedded_rnn::{Backend, F16, F32, I8, Model, Number, State};
use embedded_rnn_trainer::net::Network;
use embedded_rnn_trainer::pack::{AlignedBytes, Meta, quantize, write_float};

/// A dtype: how a network is packed, and how real values are converted to inputs.
pub trait Session: Number {
    /// Packs a network, calibrated on these sequences where the dtype requires it.
    fn pack(network: &Network<f32>, sequences: &[&[f32]]) -> Result<Vec<u8>>;
    /// Converts frames to the inputs of the model.
    fn inputs(model: &Model<'_, Self>, frames: &[f32]) -> Vec<Self::In>;
}

macro_rules! float_sessions {
    ($number:ident) => {
        impl Session for $number {
            fn pack(network: &Network<f32>, sequences: &[&[f32]]) -> Result<Vec<u8>> {
                write_float::<$number>(network, &Meta::default(), sequences[0])
            }

            fn inputs(_: &Model<'_, Self>, frames: &[f32]) -> Vec<f32> {
                frames.to_vec()
            }
        }
    };
}
float_sessions!(F32);
float_sessions!(F16);

impl Session for I8 {
    fn pack(network: &Network<f32>, sequences: &[&[f32]]) -> Result<Vec<u8>> {
        Ok(quantize(network, &Meta::default(), sequences)?.bytes)
    }

    fn inputs(model: &Model<'_, Self>, frames: &[f32]) -> Vec<i16> {
        let size = model.input_size();
        let mut xs = vec![0; frames.len()];
        for (x, frame) in xs.chunks_exact_mut(size).zip(frames.chunks_exact(size)) {
            model.quantize_input(frame, x).unwrap();
        }
        xs
    }
}

/// Returns memory for a state and for sequences of `steps` time steps per call. It is not zero, as the memory
/// of a caller need not be.
pub fn ram<N: Number>(model: &Model<'_, N>, steps: usize) -> AlignedBytes {
    let preamble = model.preamble();
    let mut ram = AlignedBytes::zeroed((preamble.ram_needed + preamble.ram_per_step * steps as u32) as usize);
    ram.fill(0xa5);
    ram
}

/// Returns the model in `file`, on `backend`.
pub fn model<N: Number>(file: &[u8], backend: Backend) -> Model<'_, N> {
    Model::new(file).unwrap().with_backend(backend)
}

/// Runs the model over `xs` from `state`, and returns the outputs of `Model::run`.
pub fn run<N: Number>(model: &Model<'_, N>, state: &mut State<'_, N>, xs: &[N::In]) -> Vec<N::Out> {
    let mut out = vec![N::Out::zeroed(); model.run_output_len(xs.len() / model.input_size())];
    model.run(state, xs, &mut out).unwrap();
    out
}

/// Runs the model time step by time step, and returns the outputs of all steps.
pub fn steps<N: Number>(model: &Model<'_, N>, state: &mut State<'_, N>, xs: &[N::In]) -> Vec<N::Out> {
    xs.chunks_exact(model.input_size()).flat_map(|x| model.step(state, x).unwrap().to_vec()).collect()
}

/// Returns the saved state.
pub fn save<N: Number>(model: &Model<'_, N>, state: &State<'_, N>) -> Vec<u8> {
    let mut buf = vec![0; model.saved_len()];
    state.save(model, &mut buf).unwrap().to_vec()
}

/// Returns the bits, for a comparison: equal floats can differ in their bits, and NaN is not equal to itself.
pub fn bits<T: bytemuck::Pod>(values: &[T]) -> &[u8] {
    bytemuck::cast_slice(values)
}
