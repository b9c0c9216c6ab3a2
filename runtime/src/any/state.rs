//! The state of a model of any dtype, with its memory.

use crate::aligned_bytes::AlignedBytes;
use crate::error::Error;
use crate::format::{ram_needed, ram_needed_for};
use crate::model::{Model, Phases};
use crate::number::Number;
use crate::quant_io::QuantIo;
use crate::state::State;
use bytemuck::Zeroable;

/// The most memory that a state takes, in bytes: a file can ask for any.
const MOST_RAM: usize = 1 << 31;

/// The state of a sequence of an [`AnyModel`](super::AnyModel), in memory of its own.
#[derive(Debug, Clone)]
pub struct AnyState {
    held: Held,
    /// One time step in the model's dtype.
    quantized: AlignedBytes,
    /// The last output.
    output: Vec<f32>,
}

/// A state between two calls.
#[derive(Debug, Clone)]
struct Held {
    memory: AlignedBytes,
    phases: Phases,
}

impl Held {
    /// Calls `work` with the state as one of the dtype `N`.
    fn with<N: Number, R>(
        &mut self,
        work: impl FnOnce(&mut State<'_, N>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let mut state = State::reopen(&mut self.memory, self.phases)?;
        let result = work(&mut state);
        self.phases = state.phases();
        result
    }

    /// Takes the memory that `steps` time steps in one call require.
    fn grow<N: Number>(&mut self, model: &Model<'_, N>, steps: usize) -> Result<(), Error> {
        let expected = ram_needed_for(model.bytes(), steps);
        if model.needs_whole_sequences() && expected > self.memory.len() {
            let mut grown = zeroed(expected)?;
            for (to, &from) in grown.iter_mut().zip(&*self.memory) {
                *to = from;
            }
            self.memory = grown;
        }
        Ok(())
    }
}

/// Allocates `expected` bytes.
fn zeroed(expected: usize) -> Result<AlignedBytes, Error> {
    if expected > MOST_RAM {
        return Err(Error::RamTooSmall { expected, found: MOST_RAM });
    }
    Ok(AlignedBytes::zeroed(expected))
}

impl AnyState {
    pub(super) fn new<N: Number>(model: &Model<'_, N>) -> Result<Self, Error> {
        let mut memory = zeroed(ram_needed(model.bytes()))?;
        let phases = model.state(&mut memory)?.phases();
        let quantized = AlignedBytes::zeroed(model.input_size() * size_of::<N::In>());
        Ok(AnyState { held: Held { memory, phases }, quantized, output: Vec::new() })
    }

    /// Starts a new sequence.
    pub fn reset(&mut self) {
        self.held.memory.fill(0);
        self.held.phases = self.held.phases.reset();
    }

    pub(super) fn step<N: QuantIo>(&mut self, model: &Model<'_, N>, x: &[f32]) -> Result<&[f32], Error> {
        let AnyState { held, quantized, output } = self;
        let (expected, found) = (model.input_size(), x.len());
        if expected != found {
            return Err(Error::InputLength { expected, found });
        }
        let quantized = bytemuck::try_cast_slice_mut(quantized).map_err(|_| Error::Misaligned)?;
        let quantized = quantized.get_mut(..expected).ok_or(Error::ForeignState)?;
        N::quantize(model, x, quantized)?;
        held.with(|state| dequantize(model, model.step(state, quantized)?, output))?;
        Ok(output)
    }

    pub(super) fn run<N: QuantIo>(&mut self, model: &Model<'_, N>, xs: &[f32]) -> Result<Vec<f32>, Error> {
        let steps = xs.len() / model.input_size().max(1);
        self.held.grow(model, steps)?;
        let mut scratch = vec![Zeroable::zeroed(); xs.len()];
        let mut out = vec![0.0; model.run_output_len(steps)];
        self.held.with(|state| model.run_real(state, xs, &mut scratch, &mut out))?;
        Ok(out)
    }

    pub(super) fn step_as<N: Number>(
        &mut self,
        model: &Model<'_, N>,
        x: &[N::In],
    ) -> Result<Vec<N::Out>, Error> {
        self.held.with(|state| Ok(model.step(state, x)?.to_vec()))
    }

    pub(super) fn run_as<N: Number>(
        &mut self,
        model: &Model<'_, N>,
        xs: &[N::In],
    ) -> Result<Vec<N::Out>, Error> {
        let steps = xs.len() / model.input_size().max(1);
        self.held.grow(model, steps)?;
        let mut out = vec![Zeroable::zeroed(); model.run_output_len(steps)];
        self.held.with(|state| model.run(state, xs, &mut out))?;
        Ok(out)
    }

    pub(super) fn decoder_step<N: QuantIo>(
        &mut self,
        model: &Model<'_, N>,
        id: u16,
    ) -> Result<&[f32], Error> {
        let AnyState { held, output, .. } = self;
        held.with(|state| dequantize(model, model.decoder_step(state, id)?, output))?;
        Ok(output)
    }

    pub(super) fn greedy<N: QuantIo>(
        &mut self,
        model: &Model<'_, N>,
        (first, end): (u16, u16),
        most: usize,
    ) -> Result<Vec<u16>, Error> {
        let mut out = vec![0; most];
        self.held.with(|state| Ok(model.greedy(state, first, end, &mut out)?.to_vec()))
    }

    pub(super) fn self_test<N: QuantIo>(&mut self, model: &Model<'_, N>) -> Result<(), Error> {
        self.held.grow(model, model.preamble().golden_steps as usize)?;
        self.held.with(|state| model.self_test(state))
    }

    pub(super) fn save<N: QuantIo>(&mut self, model: &Model<'_, N>) -> Result<Vec<u8>, Error> {
        let mut buffer = vec![0; model.saved_len()];
        self.held.with(|state| Ok(state.save(model, &mut buffer)?.to_vec()))
    }

    pub(super) fn restore<N: QuantIo>(&mut self, model: &Model<'_, N>, saved: &[u8]) -> Result<(), Error> {
        self.held.with(|state| state.restore(model, saved))
    }
}

/// Stores an output as real values.
fn dequantize<N: QuantIo>(model: &Model<'_, N>, y: &[N::Out], output: &mut Vec<f32>) -> Result<(), Error> {
    output.resize(y.len(), 0.0);
    model.dequantize_output(y, output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_that_no_memory_holds_are_rejected() {
        let bytes = AlignedBytes::new(include_bytes!("../../tests/data/bidirectional.i8.ernn"));
        let model = Model::<crate::I8>::new(&bytes).unwrap();
        let mut state = AnyState::new(&model).unwrap();
        assert!(state.held.grow(&model, 1000).is_ok());
        for steps in [1 << 31, usize::MAX] {
            let reason = state.held.grow(&model, steps).unwrap_err();
            assert!(reason.to_string().starts_with("2147483648 bytes of RAM, "), "{reason}");
        }
    }
}
