//! Sequences through a model: whole, a step a call, and fed back.

use embedded_rnn::{Error, Model, Number, State};

use super::quant_io::QuantIo;
use crate::pack::AlignedBytes;

/// How a sequence goes in. What comes out has the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunMode {
    /// All of it in one call.
    Sequence,
    /// One time step a call, as on a device.
    Streaming,
}

/// The most memory that a sequence is given, in bytes: a file can ask for any.
const MOST_RAM: usize = 1 << 31;

/// Room for a state, and for sequences of so many time steps.
pub fn ram<N: Number>(model: &Model<'_, N>, steps: usize) -> Result<AlignedBytes, Error> {
    let preamble = model.preamble();
    let sequence = (preamble.ram_per_step as usize).saturating_mul(steps);
    let expected = sequence.saturating_add(preamble.ram_needed as usize);
    if expected > MOST_RAM {
        return Err(Error::RamTooSmall { expected, found: MOST_RAM });
    }
    Ok(AlignedBytes::zeroed(expected))
}

/// Room for this sequence.
fn ram_for<N: Number>(model: &Model<'_, N>, frames: &[f32]) -> Result<AlignedBytes, Error> {
    ram(model, frames.len() / model.input_size())
}

/// What comes out while a sequence goes in.
fn read<N: QuantIo>(
    model: &Model<'_, N>,
    state: &mut State<'_, N>,
    frames: &[f32],
    pace: RunMode,
) -> Result<Vec<N::Out>, Error> {
    let inputs = N::from_real(model, frames)?;
    let size = model.input_size();
    if pace == RunMode::Sequence {
        let mut out = vec![bytemuck::Zeroable::zeroed(); model.run_output_len(inputs.len() / size)];
        model.run(state, &inputs, &mut out)?;
        return Ok(out);
    }
    let mut out = Vec::new();
    for x in inputs.chunks(size) {
        if !model.returns_sequences() {
            out.clear();
        }
        out.extend_from_slice(model.step(state, x)?);
    }
    Ok(out)
}

/// What a model answers to a sequence.
pub fn predict<N: QuantIo>(model: &Model<'_, N>, frames: &[f32], pace: RunMode) -> Result<Vec<f32>, Error> {
    let mut ram = ram_for(model, frames)?;
    let out = read(model, &mut model.state(&mut ram)?, frames, pace)?;
    Ok(N::to_real(model, &out).into_owned())
}

/// What an encoder-decoder writes by itself: the likeliest class at each step, without the end.
pub fn write<N: QuantIo>(
    model: &Model<'_, N>,
    frames: &[f32],
    most: usize,
    pace: RunMode,
) -> Result<Vec<u16>, Error> {
    let mut ram = ram_for(model, frames)?;
    let mut state = model.state(&mut ram)?;
    read(model, &mut state, frames, pace)?;
    let mut out = vec![0; most];
    Ok(model.greedy(&mut state, 0, 0, &mut out)?.to_vec())
}

/// What it answers when told what should have come before.
pub fn teacher_forced<N: QuantIo>(
    model: &Model<'_, N>,
    frames: &[f32],
    target: &[f32],
) -> Result<Vec<f32>, Error> {
    let mut ram = ram_for(model, frames)?;
    let mut state = model.state(&mut ram)?;
    read(model, &mut state, frames, RunMode::Sequence)?;
    let mut out = Vec::new();
    for &id in [0.0].iter().chain(target) {
        out.extend_from_slice(model.decoder_step(&mut state, id as u16)?);
    }
    Ok(N::to_real(model, &out).into_owned())
}

/// Feeds answers back, as long as `choose` makes an id of them: from class 0 on if there is a decoder, which has read `given`
/// as its source; else from the last of the ids in `given`.
pub fn generate<N: QuantIo>(
    model: &Model<'_, N>,
    given: &[f32],
    mut choose: impl FnMut(&[f32]) -> Option<u16>,
) -> Result<(), Error> {
    let (before, first) = match given.split_last() {
        Some((&last, before)) if !model.has_decoder() => (before, last as u16),
        _ => (given, 0),
    };
    let mut ram = ram_for(model, before)?;
    let mut state = model.state(&mut ram)?;
    if !before.is_empty() {
        read(model, &mut state, before, RunMode::Sequence)?;
    }
    model.generate(&mut state, first, |answer| choose(&N::to_real(model, answer)))
}

#[cfg(test)]
mod tests {
    use embedded_rnn::F32;

    use super::*;
    use crate::pack::{Random, files};

    #[test]
    fn sequences_that_no_memory_holds_are_refused() {
        let layers = "{ type = 'LSTM', units = 3, return_sequences = true, go_backwards = true }";
        let (network, frames) = Random { layers, input_size: 2, steps: 5, seed: 1 }.make().unwrap();
        let bytes = AlignedBytes::new(&files(&network, &frames).unwrap().0);
        let model = Model::<F32>::new(&bytes).unwrap();
        assert!(ram(&model, 1000).is_ok());
        for steps in [1 << 31, usize::MAX] {
            let reason = ram(&model, steps).unwrap_err();
            assert!(reason.to_string().starts_with("2147483648 bytes of RAM, "), "{reason}");
        }
    }
}
