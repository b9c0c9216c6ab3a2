//! What a board is given and what it must answer: the same runtime, run here.

use anyhow::Result;
use bytemuck::Zeroable;
use embedded_rnn::{Backend, F16, F32, I8, Model, Number, ram_needed_for};
use embedded_rnn_trainer::pack::AlignedBytes;

use crate::boards::Float;

/// The most ids that a decoder writes; `firmware/src/bin/check.rs` has the same.
const MOST_IDS: usize = 24;

/// Sequences of time steps; a step is `input_size` values, and they follow each other without gaps.
pub enum Recordings {
    /// For i8 nets.
    I8(Vec<Vec<i16>>),
    /// For f16 nets.
    F16(Vec<Vec<f32>>),
    /// For f32 nets.
    F32(Vec<Vec<f32>>),
}

/// What a board is given and what it must answer, as bytes.
pub struct Exam {
    /// The file that the check image reads.
    pub inputs: Vec<u8>,
    /// What it must write.
    pub outputs: Vec<u8>,
    /// Recordings in it.
    pub sequences: usize,
    /// Time steps in it.
    pub steps: usize,
}

impl Exam {
    /// How the board's outputs differ from the PC's, if they do.
    pub fn difference(&self, outputs: &[u8]) -> Option<String> {
        if outputs.len() != self.outputs.len() {
            return Some(format!("{} bytes of outputs, not {}", outputs.len(), self.outputs.len()));
        }
        let words = |bytes: &[u8]| bytes.as_chunks::<4>().0.to_vec();
        let (found, expected) = (words(outputs), words(&self.outputs));
        let mut differ = (0..found.len()).filter(|&i| found[i] != expected[i]);
        let first = differ.next()?;
        let [found_first, expected_first] = [found[first], expected[first]].map(u32::from_le_bytes);
        let width = (expected.len() / self.steps.max(1)).max(1);
        Some(format!(
            "{} of {} outputs differ, first in step {}, output {}: {found_first:#010x}, not {expected_first:#010x}",
            1 + differ.count(),
            found.len(),
            first / width,
            first % width
        ))
    }
}

impl Recordings {
    /// The first `limit` of them, over and over if they are too few values for a mean of what a step costs.
    pub fn first(self, limit: usize) -> Self {
        match self {
            Self::I8(all) => Self::I8(first(all, limit)),
            Self::F16(all) => Self::F16(first(all, limit)),
            Self::F32(all) => Self::F32(first(all, limit)),
        }
    }

    /// Values in the longest.
    pub fn longest(&self) -> usize {
        let longest = match self {
            Self::I8(all) => all.iter().map(Vec::len).max(),
            Self::F16(all) | Self::F32(all) => all.iter().map(Vec::len).max(),
        };
        longest.unwrap_or(0)
    }

    /// Recordings until they have `limit` steps, with the PC's answers in the arithmetic of a board.
    pub fn exam(&self, model: &[u8], limit: usize, float: Float) -> Result<Exam> {
        match self {
            // The portable integer arithmetic is the specification that every core must equal.
            Self::I8(all) => exam::<I8>(model, all, limit, Backend::portable()),
            Self::F16(all) => exam::<F16>(model, all, limit, backend(float)),
            Self::F32(all) => exam::<F32>(model, all, limit, backend(float)),
        }
    }
}

fn backend(float: Float) -> Backend {
    match float {
        Float::Fused => Backend::portable_fused(),
        Float::Soft => Backend::portable(),
    }
}

fn first<T: Clone>(all: Vec<Vec<T>>, limit: usize) -> Vec<Vec<T>> {
    const ENOUGH: usize = 200;
    let (count, mut left) = (limit.min(all.len()), ENOUGH);
    let wanted = |(number, recording): &(usize, &Vec<T>)| {
        let wanted = *number < count || left > 0;
        left = left.saturating_sub(recording.len());
        wanted
    };
    all.iter().take(limit).cycle().enumerate().take_while(wanted).map(|(_, x)| x.clone()).collect()
}

fn exam<N: Number>(bytes: &[u8], all: &[Vec<N::In>], limit: usize, backend: Backend) -> Result<Exam> {
    let bytes = AlignedBytes::new(bytes);
    let model = Model::<N>::new(&bytes)?.with_backend(backend);
    let mut steps = 0;
    let enough = all.iter().position(|recording| {
        steps += recording.len() / model.input_size();
        steps >= limit
    });
    let recordings = &all[..enough.map_or(all.len(), |last| last + 1)];
    let longest = recordings.iter().map(|x| x.len() / model.input_size()).max().unwrap_or(0);
    let mut ram = AlignedBytes::zeroed(ram_needed_for(&bytes, longest));
    let mut state = model.state(&mut ram)?;
    let mut exam =
        Exam { inputs: word(recordings.len()), outputs: Vec::new(), sequences: recordings.len(), steps: 0 };
    for recording in recordings {
        let steps = recording.len() / model.input_size();
        exam.steps += steps;
        exam.inputs.extend(word(steps));
        exam.inputs.extend_from_slice(bytemuck::cast_slice(recording));
        state.reset();
        if takes_sequences(&model) {
            let mut y = vec![N::Out::zeroed(); model.run_output_len(steps)];
            model.run(&mut state, recording, &mut y)?;
            exam.outputs.extend_from_slice(bytemuck::cast_slice(&y));
            if model.has_decoder() {
                let mut ids = [0; MOST_IDS];
                let ids = model.greedy(&mut state, 0, 0, &mut ids)?;
                exam.steps += (ids.len() + 1).min(MOST_IDS);
                exam.outputs.extend(word(ids.len()));
                ids.iter().for_each(|&id| exam.outputs.extend(word(id.into())));
            }
            continue;
        }
        for x in recording.chunks_exact(model.input_size()) {
            let y = model.step(&mut state, x)?;
            exam.outputs.extend_from_slice(bytemuck::cast_slice(y));
        }
    }
    Ok(exam)
}

/// Whether the board is given whole sequences: a model that reads them from their ends, or one that answers with another.
pub fn takes_sequences<N: Number>(model: &Model<'_, N>) -> bool {
    model.needs_whole_sequences() || model.has_decoder()
}

fn word(value: usize) -> Vec<u8> {
    (value as u32).to_le_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_recordings_run_over_and_over() {
        let firsts = |all: &[usize], limit| -> Vec<usize> {
            let recordings = all.iter().map(|&len| vec![0u8; len]).collect();
            first(recordings, limit).iter().map(Vec::len).collect()
        };
        assert_eq!(firsts(&[150, 40, 30], 2), [150, 40, 150]);
        assert_eq!(firsts(&[300, 40, 30], 2), [300, 40]);
        assert_eq!(firsts(&[], 2), [0usize; 0]);
    }

    #[test]
    fn differences_are_found_and_placed() {
        let outputs: Vec<u8> = (0..24).collect();
        let exam = Exam { inputs: Vec::new(), outputs: outputs.clone(), sequences: 1, steps: 3 };
        assert_eq!(exam.difference(&outputs), None);
        assert!(exam.difference(&outputs[..20]).unwrap().contains("20 bytes of outputs, not 24"));
        let mut wrong = outputs;
        wrong[13] ^= 1;
        wrong[23] ^= 1;
        let text = exam.difference(&wrong).unwrap();
        assert!(text.starts_with("2 of 6 outputs differ, first in step 1, output 1: 0x0f0e0c0c"), "{text}");
    }
}
