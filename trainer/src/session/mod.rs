//! A model file as its user has it: read, checked and run by the runtime, whatever its kind of numbers.

mod feedback;
mod file;
mod quant_io;
mod running;

pub use file::ModelFile;
pub use running::RunMode;

use std::borrow::Cow;

use anyhow::{Context, Result};
use embedded_rnn::format::{LayerRecord, Preamble, header::Header};
use embedded_rnn::{Error, F16, F32, I8, Kind, Model};

use crate::data::{Dataset, InputKind};
use crate::evaluate::{EncoderDecoder, Evaluation, evaluate, evaluate_pairs};

/// A checked model of any kind of numbers. Takes and gives real values, as the trainer's network does.
#[derive(Clone, Copy, Debug)]
pub enum Session<'m> {
    /// Of f32.
    F32(Model<'m, F32>),
    /// Of f32 with weights in f16.
    F16(Model<'m, F16>),
    /// Of integers.
    I8(Model<'m, I8>),
}

/// Does the same with a model of any kind.
macro_rules! either {
    ($session:expr, $model:ident => $does:expr) => {
        match $session {
            Session::F32($model) => $does,
            Session::F16($model) => $does,
            Session::I8($model) => $does,
        }
    };
}
use either;

impl<'m> Session<'m> {
    /// Features of a time step.
    pub fn input_size(&self) -> usize {
        either!(self, model => model.input_size())
    }

    /// What it takes at a time step.
    pub fn input_kind(&self) -> InputKind {
        match self.layers().first() {
            Some(first) if first.kind == Kind::Embedding as u8 => InputKind::Ids(first.input_dim as usize),
            _ => InputKind::Features(self.input_size()),
        }
    }

    /// Values of an answer.
    pub fn output_size(&self) -> usize {
        either!(self, model => model.output_size())
    }

    /// Whether it answers at every time step, and not after the last one only.
    pub fn returns_sequences(&self) -> bool {
        either!(self, model => model.returns_sequences())
    }

    /// What the file begins with.
    pub fn preamble(&self) -> &'m Preamble {
        either!(self, model => model.preamble())
    }

    /// The table of layers.
    pub fn layers(&self) -> &'m [LayerRecord] {
        either!(self, model => model.layers())
    }

    /// Names and labels; `None` if the header is not one.
    pub fn header(&self) -> Option<Header<'m>> {
        either!(self, model => model.header())
    }

    /// The names of the classes; none if the file does not name each.
    pub fn labels(&self) -> Vec<String> {
        let labels: Vec<_> =
            self.header().iter().flat_map(|header| header.labels()).map(str::to_owned).collect();
        if labels.len() == self.output_size() { labels } else { Vec::new() }
    }

    /// The answers to a sequence of frames.
    pub fn predict(&self, frames: &[f32], pace: RunMode) -> Result<Vec<f32>> {
        Ok(either!(self, model => running::predict(model, frames, pace)?))
    }

    /// What an encoder-decoder makes of a sequence of frames: the likeliest class at each step, until class 0, which is left
    /// out, or for `most` steps.
    pub fn write(&self, frames: &[f32], most: usize, pace: RunMode) -> Result<Vec<u16>> {
        Ok(either!(self, model => running::write(model, frames, most, pace)?))
    }

    /// Whether a layer reads sequences from their ends.
    pub fn needs_whole_sequences(&self) -> bool {
        either!(self, model => model.needs_whole_sequences())
    }

    /// Whether it is an encoder and a decoder.
    pub fn has_decoder(&self) -> bool {
        either!(self, model => model.has_decoder())
    }

    /// How well it does on labelled data; time steps that it takes for none are left out.
    pub fn evaluate(&self, data: &Dataset) -> Result<Evaluation> {
        data.sequences.check(self.input_kind()).with_context(|| data.frames_name.clone())?;
        let kept = match self.mask_value() {
            Some(value) => Cow::Owned(data.clone().without_masked(value)?),
            None => Cow::Borrowed(data),
        };
        if self.has_decoder() {
            return evaluate_pairs(self, &self.labels(), &kept);
        }
        evaluate(self.output_size(), &self.labels(), |frames| self.predict(frames, RunMode::Sequence), &kept)
    }

    /// What all features of a time step are that is none, if there are such.
    pub fn mask_value(&self) -> Option<f32> {
        let first = self.layers().first().filter(|first| first.masks())?;
        if first.kind == Kind::Embedding as u8 {
            return Some(0.0);
        }
        either!(self, model => bytemuck::try_cast_slice::<_, f32>(model.weights()).ok()?.first().copied())
    }

    /// Replays the golden trace of the file.
    pub fn self_test(&self) -> Result<(), Error> {
        either!(self, model => {
            let mut ram = running::ram(model, model.preamble().golden_steps as usize)?;
            model.self_test(&mut model.state(&mut ram)?)
        })
    }
}

impl EncoderDecoder for Session<'_> {
    fn classes(&self) -> usize {
        self.output_size()
    }

    fn predict_forced(&self, source: &[f32], target: &[f32]) -> Result<Vec<f32>> {
        Ok(either!(self, model => running::teacher_forced(model, source, target)?))
    }

    fn decode(&self, source: &[f32], most: usize) -> Result<Vec<u32>> {
        Ok(self.write(source, most, RunMode::Sequence)?.into_iter().map(u32::from).collect())
    }
}
