//! Conformance runs: the same runtime computes on the PC the outputs that a board must return, bit for bit.

use anyhow::Result;
use bytemuck::Zeroable;
use embedded_rnn::{Backend, F16, F32, I8, Model, Number, State, ram_needed_for};
use embedded_rnn_trainer::pack::AlignedBytes;
use xtask::boards::Float;

use crate::vectors::TestVectors;

/// Limit of the ids that a decoder generates per sequence, passed to the firmware as `BOARD_MAX_IDS`.
pub const MAX_IDS: usize = 24;

/// Inputs of a board and the outputs that it must return, as bytes.
pub struct Conformance {
    /// Content of the file that the check image reads.
    pub inputs: Vec<u8>,
    /// Content of the file that the check image must write.
    pub outputs: Vec<u8>,
    /// Number of sequences.
    pub sequences: usize,
    /// Number of time steps.
    pub steps: usize,
}

impl Conformance {
    /// Computes the outputs in the arithmetic of a board, over test vectors until they have `limit` time
    /// steps.
    pub fn new(model: &[u8], vectors: &TestVectors, limit: usize, float: Float) -> Result<Self> {
        match vectors {
            // The portable integer arithmetic is the specification, which every core must reproduce.
            TestVectors::I8(all) => compute::<I8>(model, all, limit, Backend::portable()),
            TestVectors::F16(all) => compute::<F16>(model, all, limit, backend(float)),
            TestVectors::F32(all) => compute::<F32>(model, all, limit, backend(float)),
        }
    }

    /// Describes the difference between the board's outputs and the PC's, if there is one.
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
            "{} of {} outputs differ, first in step {}, output {}: \
             {found_first:#010x}, not {expected_first:#010x}",
            1 + differ.count(),
            found.len(),
            first / width,
            first % width
        ))
    }
}

fn backend(float: Float) -> Backend {
    match float {
        Float::Fused => Backend::portable_fused(),
        Float::Separate => Backend::portable(),
    }
}

fn compute<N: Number>(
    bytes: &[u8],
    all: &[Vec<N::In>],
    limit: usize,
    backend: Backend,
) -> Result<Conformance> {
    let bytes = AlignedBytes::new(bytes);
    let model = Model::<N>::new(&bytes)?.with_backend(backend);
    let vectors = until(all, limit.saturating_mul(model.input_size()));
    let longest = vectors.iter().map(|x| x.len() / model.input_size()).max().unwrap_or(0);
    let mut ram = AlignedBytes::zeroed(ram_needed_for(&bytes, longest));
    let mut state = model.state(&mut ram)?;
    let inputs = word(vectors.len());
    let mut run = Conformance { inputs, outputs: Vec::new(), sequences: vectors.len(), steps: 0 };
    for x in vectors {
        let steps = x.len() / model.input_size();
        run.steps += steps;
        run.inputs.extend(word(steps));
        run.inputs.extend_from_slice(bytemuck::cast_slice(x));
        state.reset();
        if runs_whole_sequences(&model) {
            run.whole(&model, &mut state, x)?;
        } else {
            run.stepwise(&model, &mut state, x)?;
        }
    }
    Ok(run)
}

impl Conformance {
    fn stepwise<N: Number>(&mut self, model: &Model<N>, state: &mut State<N>, x: &[N::In]) -> Result<()> {
        for x in x.chunks_exact(model.input_size()) {
            self.outputs.extend_from_slice(bytemuck::cast_slice(model.step(state, x)?));
        }
        Ok(())
    }

    fn whole<N: Number>(&mut self, model: &Model<N>, state: &mut State<N>, x: &[N::In]) -> Result<()> {
        let mut y = vec![N::Out::zeroed(); model.run_output_len(x.len() / model.input_size())];
        model.run(state, x, &mut y)?;
        self.outputs.extend_from_slice(bytemuck::cast_slice(&y));
        if model.has_decoder() {
            let mut ids = [0; MAX_IDS];
            let ids = model.greedy(state, 0, 0, &mut ids)?;
            self.steps += (ids.len() + 1).min(MAX_IDS);
            self.outputs.extend(word(ids.len()));
            ids.iter().for_each(|&id| self.outputs.extend(word(id.into())));
        }
        Ok(())
    }
}

/// Returns the leading vectors until they have `limit` values.
fn until<T>(all: &[Vec<T>], limit: usize) -> &[Vec<T>] {
    let mut values = 0;
    let last = all.iter().position(|vector| {
        values += vector.len();
        values >= limit
    });
    &all[..last.map_or(all.len(), |last| last + 1)]
}

/// Returns whether the board calls `run` on whole sequences: a layer runs backwards, or a decoder generates
/// the output.
pub fn runs_whole_sequences<N: Number>(model: &Model<'_, N>) -> bool {
    model.needs_whole_sequences() || model.has_decoder()
}

fn word(value: usize) -> Vec<u8> {
    (value as u32).to_le_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_end_with_the_one_that_reaches_the_limit() {
        let vectors = [3, 2, 4].map(|len| vec![0u8; len]);
        let count = |limit| until(&vectors, limit).len();
        assert_eq!([1, 3, 4, 5, 6, 100].map(count), [1, 1, 2, 2, 3, 3]);
        assert_eq!(until(&[] as &[Vec<u8>], 5).len(), 0);
    }

    #[test]
    fn differences_are_found_and_placed() {
        let outputs: Vec<u8> = (0..24).collect();
        let run = Conformance { inputs: Vec::new(), outputs: outputs.clone(), sequences: 1, steps: 3 };
        assert_eq!(run.difference(&outputs), None);
        assert!(run.difference(&outputs[..20]).unwrap().contains("20 bytes of outputs, not 24"));
        let mut wrong = outputs;
        wrong[13] ^= 1;
        wrong[23] ^= 1;
        let text = run.difference(&wrong).unwrap();
        assert!(text.starts_with("2 of 6 outputs differ, first in step 1, output 1: 0x0f0e0c0c"), "{text}");
    }
}
