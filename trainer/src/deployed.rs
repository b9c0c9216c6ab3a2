//! A model file as its user has it: read, checked and run by the runtime, whatever its kind of numbers.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use embedded_rnn::format::{LayerRecord, MAGIC, PREAMBLE_LEN, Preamble, header::Header};
use embedded_rnn::{DType, Error, F16, F32, I8, Kind, Model, Number, State};

use crate::data::Dataset;
use crate::evaluate::{EncoderDecoder, Evaluation, evaluate, evaluate_pairs};
use crate::pack::AlignedBytes;

/// The bytes of a model file, and where they are from.
pub struct ModelFile {
    path: PathBuf,
    bytes: AlignedBytes,
}

impl ModelFile {
    /// Reads a file, of which nothing is believed: memory grows with the bytes that are there.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = read(path).with_context(|| path.display().to_string())?;
        Ok(Self::new(path, &bytes))
    }

    /// From bytes that are, or will be, at `path`.
    pub fn new(path: &Path, bytes: &[u8]) -> Self {
        Self { path: path.to_owned(), bytes: AlignedBytes::new(bytes) }
    }

    /// The file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Checks the whole file, and gives what runs it.
    pub fn deploy(&self) -> Result<Deployed<'_>> {
        self.check().with_context(|| self.path.display().to_string())
    }

    fn check(&self) -> Result<Deployed<'_>> {
        let kind = preamble(&self.bytes).and_then(|preamble| DType::from_code(preamble.dtype));
        Ok(match kind {
            Some(DType::I8) => Deployed::I8(Model::new(&self.bytes)?),
            Some(DType::F16) => Deployed::F16(Model::new(&self.bytes)?),
            // What is no model of any kind is refused with the reason.
            _ => Deployed::F32(Model::new(&self.bytes)?),
        })
    }
}

fn preamble(bytes: &[u8]) -> Option<&Preamble> {
    bytemuck::try_from_bytes(bytes.get(..PREAMBLE_LEN)?).ok()
}

/// What the file's preamble counts to it; no more than the preamble if that is none.
fn read(path: &Path) -> Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut start = AlignedBytes::zeroed(PREAMBLE_LEN);
    let mut bytes = Vec::new();
    (&mut file).take(PREAMBLE_LEN as u64).read_to_end(&mut bytes)?;
    if !bytes.starts_with(&MAGIC) {
        bail!(Error::NotAModel);
    }
    start[..bytes.len()].copy_from_slice(&bytes);
    let whole = preamble(&start).map_or(0, |preamble| u64::from(preamble.file_len));
    file.take(whole.saturating_sub(PREAMBLE_LEN as u64)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A checked model of any kind of numbers. Takes and gives real values, as the trainer's network does.
#[derive(Clone, Copy, Debug)]
pub enum Deployed<'m> {
    /// Of f32.
    F32(Model<'m, F32>),
    /// Of f32 with weights in f16.
    F16(Model<'m, F16>),
    /// Of integers.
    I8(Model<'m, I8>),
}

/// Does the same with a model of any kind.
macro_rules! either {
    ($deployed:expr, $model:ident => $does:expr) => {
        match $deployed {
            Deployed::F32($model) => $does,
            Deployed::F16($model) => $does,
            Deployed::I8($model) => $does,
        }
    };
}

impl<'m> Deployed<'m> {
    /// Features of a time step.
    pub fn input_size(&self) -> usize {
        either!(self, model => model.input_size())
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

    /// The answers to a sequence of frames, all of it in one call.
    pub fn predict(&self, frames: &[f32]) -> Result<Vec<f32>> {
        Ok(either!(self, model => whole(model, frames)?))
    }

    /// The same bits, one time step a call.
    pub fn predict_stepwise(&self, frames: &[f32]) -> Result<Vec<f32>> {
        Ok(either!(self, model => stepwise(model, frames)?))
    }

    /// Whether it is an encoder and a decoder.
    pub fn has_decoder(&self) -> bool {
        either!(self, model => model.has_decoder())
    }

    /// How well it does on labelled data; time steps that it takes for none are left out.
    pub fn evaluate(&self, data: &Dataset) -> Result<Evaluation> {
        data.sequences.check_features(self.input_size())?;
        let kept = match self.mask_value() {
            Some(value) => Cow::Owned(data.clone().without_masked(value)?),
            None => Cow::Borrowed(data),
        };
        if self.has_decoder() {
            return evaluate_pairs(self, &self.labels(), &kept);
        }
        evaluate(self.output_size(), &self.labels(), |frames| self.predict(frames), &kept)
    }

    /// What all features of a time step are that is none.
    fn mask_value(&self) -> Option<f32> {
        let first = self.layers().first().filter(|first| first.masks())?;
        if first.kind == Kind::Embedding as u8 {
            return Some(0.0);
        }
        either!(self, model => bytemuck::try_cast_slice::<_, f32>(model.weights()).ok()?.first().copied())
    }

    /// What an encoder-decoder makes of a sequence of frames, the likeliest class at each step, without the end.
    fn write(&self, frames: &[f32], most: usize) -> Result<Vec<u16>> {
        Ok(either!(self, model => written(model, frames, most)?))
    }

    /// Replays the golden trace of the file.
    pub fn self_test(&self) -> Result<(), Error> {
        either!(self, model => {
            let mut ram = ram(model, model.preamble().golden_steps as usize);
            model.self_test(&mut model.state(&mut ram)?)
        })
    }
}

/// Between real values and those of a kind of numbers.
trait Borders: Number {
    fn from_real<'a>(model: &Model<'_, Self>, frames: &'a [f32]) -> Result<Cow<'a, [Self::In]>, Error>;
    fn to_real(model: &Model<'_, Self>, out: Vec<Self::Out>) -> Vec<f32>;
}

/// Models of floats take and give real values as they are.
macro_rules! real {
    ($number:ident) => {
        impl Borders for $number {
            fn from_real<'a>(_: &Model<'_, $number>, frames: &'a [f32]) -> Result<Cow<'a, [f32]>, Error> {
                Ok(Cow::Borrowed(frames))
            }

            fn to_real(_: &Model<'_, $number>, out: Vec<f32>) -> Vec<f32> {
                out
            }
        }
    };
}
real!(F32);
real!(F16);

impl Borders for I8 {
    fn from_real<'a>(model: &Model<'_, I8>, frames: &'a [f32]) -> Result<Cow<'a, [i16]>, Error> {
        let size = model.input_size();
        let mut quantized = vec![0; frames.len()];
        for (x, quantized) in frames.chunks(size).zip(quantized.chunks_mut(size)) {
            model.quantize_input(x, quantized)?;
        }
        Ok(Cow::Owned(quantized))
    }

    fn to_real(model: &Model<'_, I8>, out: Vec<i32>) -> Vec<f32> {
        out.into_iter().map(|value| value as f32 * model.output_scale()).collect()
    }
}

/// Room for a state, and for sequences of so many time steps.
fn ram<N: Number>(model: &Model<'_, N>, steps: usize) -> AlignedBytes {
    let preamble = model.preamble();
    AlignedBytes::zeroed(preamble.ram_needed as usize + preamble.ram_a_step as usize * steps)
}

/// A state in `ram` that has read a sequence.
fn state_after<'r, N: Borders>(
    model: &Model<'_, N>,
    frames: &[f32],
    ram: &'r mut AlignedBytes,
) -> Result<State<'r, N>, Error> {
    let mut state = model.state(ram)?;
    let inputs = N::from_real(model, frames)?;
    let steps = frames.len() / model.input_size();
    let mut out = vec![bytemuck::Zeroable::zeroed(); model.run_output_len(steps)];
    model.run(&mut state, &inputs, &mut out)?;
    Ok(state)
}

/// What an encoder-decoder writes by itself.
fn written<N: Borders>(model: &Model<'_, N>, frames: &[f32], most: usize) -> Result<Vec<u16>, Error> {
    let mut ram = ram(model, frames.len() / model.input_size());
    let mut state = state_after(model, frames, &mut ram)?;
    let mut out = vec![0; most];
    Ok(model.greedy(&mut state, 0, 0, &mut out)?.to_vec())
}

/// What it answers when told what should have come before.
fn forced<N: Borders>(model: &Model<'_, N>, frames: &[f32], target: &[f32]) -> Result<Vec<f32>, Error> {
    let mut ram = ram(model, frames.len() / model.input_size());
    let mut state = state_after(model, frames, &mut ram)?;
    let mut out = Vec::new();
    for &id in [0.0].iter().chain(target) {
        out.extend_from_slice(model.decoder_step(&mut state, id as u16)?);
    }
    Ok(N::to_real(model, out))
}

impl EncoderDecoder for Deployed<'_> {
    fn classes(&self) -> usize {
        self.output_size()
    }

    fn predict_forced(&self, source: &[f32], target: &[f32]) -> Result<Vec<f32>> {
        Ok(either!(self, model => forced(model, source, target)?))
    }

    fn decode(&self, source: &[f32], most: usize) -> Result<Vec<u32>> {
        Ok(self.write(source, most)?.into_iter().map(u32::from).collect())
    }
}

fn whole<N: Borders>(model: &Model<'_, N>, frames: &[f32]) -> Result<Vec<f32>, Error> {
    let inputs = N::from_real(model, frames)?;
    let steps = frames.len() / model.input_size();
    let mut out = vec![bytemuck::Zeroable::zeroed(); model.run_output_len(steps)];
    model.run(&mut model.state(&mut ram(model, steps))?, &inputs, &mut out)?;
    Ok(N::to_real(model, out))
}

fn stepwise<N: Borders>(model: &Model<'_, N>, frames: &[f32]) -> Result<Vec<f32>, Error> {
    let mut ram = ram(model, 1);
    let mut state = model.state(&mut ram)?;
    let mut out = Vec::new();
    for x in frames.chunks(model.input_size()) {
        if !model.returns_sequences() {
            out.clear();
        }
        out.extend_from_slice(model.step(&mut state, &N::from_real(model, x)?)?);
    }
    Ok(N::to_real(model, out))
}
