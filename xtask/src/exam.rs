//! What a board is given and what it must answer: the same runtime, run here.

use anyhow::Result;
use embedded_rnn::{Backend, F16, F32, I8, Model, Number};
use embedded_rnn_trainer::pack::AlignedBytes;

use crate::boards::Float;

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
    /// At most `limit` of the recordings, with the PC's answers in the arithmetic of a board.
    pub fn exam(&self, model: &[u8], limit: usize, float: Float) -> Result<Exam> {
        match self {
            // The portable integer arithmetic is the specification that every core must equal.
            Self::I8(all) => exam::<I8>(model, first(all, limit), Backend::portable()),
            Self::F16(all) => exam::<F16>(model, first(all, limit), backend(float)),
            Self::F32(all) => exam::<F32>(model, first(all, limit), backend(float)),
        }
    }
}

fn backend(float: Float) -> Backend {
    match float {
        Float::Fused => Backend::portable_fused(),
        Float::Soft => Backend::portable(),
    }
}

fn first<T>(all: &[T], limit: usize) -> &[T] {
    &all[..limit.min(all.len())]
}

fn exam<N: Number>(bytes: &[u8], recordings: &[Vec<N::In>], backend: Backend) -> Result<Exam> {
    let bytes = AlignedBytes::new(bytes);
    let model = Model::<N>::new(&bytes)?.with_backend(backend);
    let mut ram = AlignedBytes::zeroed(model.preamble().ram_needed as usize);
    let mut state = model.state(&mut ram)?;
    let mut exam =
        Exam { inputs: word(recordings.len()), outputs: Vec::new(), sequences: recordings.len(), steps: 0 };
    for recording in recordings {
        let steps = recording.len() / model.input_size();
        exam.steps += steps;
        exam.inputs.extend(word(steps));
        exam.inputs.extend_from_slice(bytemuck::cast_slice(recording));
        state.reset();
        for x in recording.chunks_exact(model.input_size()) {
            let y = model.step(&mut state, x)?;
            exam.outputs.extend_from_slice(bytemuck::cast_slice(y));
        }
    }
    Ok(exam)
}

fn word(value: usize) -> Vec<u8> {
    (value as u32).to_le_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

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
