//! Inference on a PC with a model file of any dtype, computed by the runtime. Inputs and outputs are real
//! numbers, as those of a network of the trainer.

mod generate;

use std::borrow::Cow;
use std::ops::Deref;
use std::path::Path;

use anyhow::{Context, Result};
use embedded_rnn::{AlignedBytes, AnyModel, Backend, Error};
use embedded_rnn_nn::data::{Dataset, InputKind, Targets};
use embedded_rnn_nn::evaluate::{Criteria, EncoderDecoder, Evaluation, evaluate, evaluate_pairs};

/// A validated model file. Every call starts from the initial state.
#[derive(Debug)]
pub struct Session {
    model: AnyModel,
}

/// The mode in which the time steps of a sequence are passed to the model. The outputs have the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunMode {
    /// The whole sequence in one call.
    Sequence,
    /// One time step per call, as on a device.
    Streaming,
}

impl Session {
    /// Reads and validates a model file.
    ///
    /// # Errors
    /// The path, and the reason why the file cannot be read or is not a model.
    pub fn read(path: &Path) -> Result<Self> {
        Ok(Self { model: AnyModel::read(path)? })
    }

    /// Validates the bytes of the model file at `path`, which need not exist yet.
    ///
    /// # Errors
    /// The path, and the reason why the bytes are not a model.
    pub fn new(path: &Path, bytes: &[u8]) -> Result<Self> {
        let model = AnyModel::new(AlignedBytes::new(bytes));
        Ok(Self { model: model.with_context(|| path.display().to_string())? })
    }

    /// Returns the session with another backend than the best one of this CPU.
    #[must_use]
    pub fn with_backend(self, backend: Backend) -> Self {
        Self { model: self.model.with_backend(backend) }
    }

    /// Returns the kind of input per time step.
    pub fn input_kind(&self) -> InputKind {
        match self.model.input_ids() {
            Some(ids) => InputKind::Ids(ids),
            None => InputKind::Features(self.model.input_size()),
        }
    }

    /// Returns the names of the classes; empty if the file does not name all of them. A single output is the
    /// probability of the second of two classes.
    pub fn labels(&self) -> Vec<String> {
        let labels: Vec<_> =
            self.model.header().iter().flat_map(|header| header.labels()).map(str::to_owned).collect();
        let classes = self.model.output_size().max(2);
        if labels.len() == classes { labels } else { Vec::new() }
    }

    /// Returns the outputs for a sequence of frames, `[time, features]`: `[time, output_size]` of a model
    /// that returns sequences, else `[output_size]` of the last time step.
    ///
    /// # Errors
    /// Frames of the wrong size, or more of them than fit into memory.
    pub fn predict(&self, frames: &[f32], mode: RunMode) -> Result<Vec<f32>> {
        let mut state = self.model.state()?;
        if mode == RunMode::Sequence {
            return Ok(self.model.run(&mut state, frames)?);
        }
        let mut out = Vec::new();
        for x in frames.chunks(self.model.input_size()) {
            if !self.model.returns_sequences() {
                out.clear();
            }
            out.extend_from_slice(self.model.step(&mut state, x)?);
        }
        Ok(out)
    }

    /// Returns the classes that an encoder-decoder generates for a source: the most probable one at each time
    /// step, until class 0, which is not returned, or for `limit` time steps.
    ///
    /// # Errors
    /// The errors of [`predict`](Self::predict); a model without a decoder.
    pub fn decode(&self, source: &[f32], limit: usize, mode: RunMode) -> Result<Vec<u16>> {
        let mut state = self.model.state()?;
        match mode {
            RunMode::Sequence => drop(self.model.run(&mut state, source)?),
            RunMode::Streaming => {
                for x in source.chunks(self.model.input_size()) {
                    self.model.step(&mut state, x)?;
                }
            }
        }
        Ok(self.model.greedy(&mut state, 0, 0, limit)?)
    }

    /// Evaluates the model on labeled data, without its masked time steps.
    ///
    /// # Errors
    /// The name of the array that does not fit the model, and the reason.
    pub fn evaluate(&self, data: &Dataset, criteria: &Criteria) -> Result<Evaluation> {
        data.sequences.check(self.input_kind()).with_context(|| data.frames_name.clone())?;
        let labeled = match &data.targets {
            Targets::Values { width: 2.., .. } if self.outputs_probabilities() => {
                Cow::Owned(data.clone().with_labels())
            }
            _ => Cow::Borrowed(data),
        };
        let unmasked = match self.model.mask_value() {
            Some(value) => Cow::Owned(labeled.into_owned().without_masked(value)?),
            None => labeled,
        };
        if self.model.has_decoder() {
            return evaluate_pairs(self, &self.labels(), &unmasked, criteria);
        }
        let predict = |frames: &[f32]| self.predict(frames, RunMode::Sequence);
        evaluate(self.model.output_size(), &self.labels(), predict, &unmasked, criteria)
    }

    /// Replays the golden trace of the file.
    ///
    /// # Errors
    /// The index of the first output that differs from the golden one.
    pub fn self_test(&self) -> Result<(), Error> {
        self.model.self_test()
    }
}

/// Gives access to the sizes, layers and header of the model.
impl Deref for Session {
    type Target = AnyModel;

    fn deref(&self) -> &AnyModel {
        &self.model
    }
}

impl EncoderDecoder for Session {
    fn classes(&self) -> usize {
        self.model.output_size()
    }

    fn predict_forced(&self, source: &[f32], target: &[f32]) -> Result<Vec<f32>> {
        let mut state = self.model.state()?;
        self.model.run(&mut state, source)?;
        let mut out = Vec::new();
        for &id in [0.0].iter().chain(target) {
            out.extend_from_slice(self.model.decoder_step(&mut state, id as u16)?);
        }
        Ok(out)
    }

    fn decode(&self, source: &[f32], limit: usize) -> Result<Vec<u32>> {
        let ids = Session::decode(self, source, limit, RunMode::Sequence)?;
        Ok(ids.into_iter().map(u32::from).collect())
    }
}
