//! The nets that run on the boards, with their recordings and the PC's answers.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::ValueEnum;
use embedded_rnn::F16;
use embedded_rnn_trainer::pack::{Meta, files, random_cell, write_float};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::boards::Float;
use crate::cmd::root;
use crate::digits;
use crate::exam::{Exam, Recordings};

/// Random nets and their recordings are the same in every run.
const SEED: u64 = 20;

/// Random recordings of a single cell; enough steps for the state to wander and for a mean of the counts.
const RANDOM_SEQUENCES: usize = 2;
const RANDOM_STEPS: usize = 50;

/// A net of the table.
pub struct Net {
    /// The name users type, and the key `model` of the results.
    pub name: &'static str,
    /// Its recurrent cell.
    pub cell: &'static str,
    /// Values in a step's input.
    pub input_size: usize,
    /// Units of the recurrent layer.
    pub hidden_size: usize,
    source: Source,
}

/// Where a net's weights and recordings come from.
enum Source {
    /// A cell, by Keras's name and options as in a config; weights and recordings are random, from a seed.
    Random(&'static str, &'static str),
    /// An example of the trainer's, trained if need be, with the recordings of its test set.
    Digits,
}

const fn single(
    name: &'static str,
    cell: &'static str,
    (keras, options): (&'static str, &'static str),
    input_size: usize,
    hidden_size: usize,
) -> Net {
    Net { name, cell, input_size, hidden_size, source: Source::Random(keras, options) }
}

const RNN: (&str, &str) = ("SimpleRNN", "");
const LSTM: (&str, &str) = ("LSTM", "");
const GRU: (&str, &str) = ("GRU", "");
const GRU_BEFORE: (&str, &str) = ("GRU", "reset_after = false");

/// All nets: single cells of the sizes that others publish, and the example.
pub static NETS: &[Net] = &[
    single("lstm-1x16", "lstm", LSTM, 1, 16),
    single("lstm-10x32", "lstm", LSTM, 10, 32),
    single("lstm-40x64", "lstm", LSTM, 40, 64),
    single("lstm-1x50", "lstm", LSTM, 1, 50),
    single("lstm-40x128", "lstm", LSTM, 40, 128),
    single("gru-1x16", "gru", GRU, 1, 16),
    single("gru-10x32", "gru", GRU, 10, 32),
    single("gru-40x64", "gru", GRU, 40, 64),
    single("gru-before-10x32", "gru_reset_before", GRU_BEFORE, 10, 32),
    single("rnn-10x32", "simple_rnn", RNN, 10, 32),
    Net { name: "digits", cell: "lstm", input_size: 13, hidden_size: 32, source: Source::Digits },
];

/// The kind of a net's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DType {
    /// i8 weights, i16 activations.
    I8,
    /// f16 weights, f32 arithmetic.
    F16,
    /// f32.
    F32,
}

impl DType {
    /// As in file names and in the key `dtype`.
    pub fn name(self) -> &'static str {
        match self {
            Self::I8 => "i8",
            Self::F16 => "f16",
            Self::F32 => "f32",
        }
    }
}

/// A net in one kind of numbers, ready for any board.
pub struct Case {
    /// The net.
    pub net: &'static Net,
    /// The kind of its numbers.
    pub dtype: DType,
    /// The model file's bytes.
    pub model: Vec<u8>,
    /// Where they lie.
    pub file: PathBuf,
    /// RAM that a state of it takes.
    pub ram_needed: usize,
    recordings: Recordings,
}

impl Case {
    /// Makes the net and its recordings, and writes the model file for the firmware to include.
    pub fn prepare(net: &'static Net, dtype: DType) -> Result<Self> {
        let (model, recordings) = match net.source {
            Source::Random(cell, options) => random(net, cell, options, dtype)?,
            Source::Digits => digits::prepare(dtype)?,
        };
        let folder = root().join("target/boards/nets");
        fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{}.{}.ernn", net.name, dtype.name()));
        fs::write(&file, &model).with_context(|| format!("writing {}", file.display()))?;
        let ram_needed = embedded_rnn::ram_needed(&model);
        Ok(Self { net, dtype, model, file, ram_needed, recordings })
    }

    /// For names of folders.
    pub fn label(&self) -> String {
        format!("{}.{}", self.net.name, self.dtype.name())
    }

    /// At most `limit` of the recordings, with the PC's answers in the arithmetic of the board.
    pub fn exam(&self, limit: usize, float: Float) -> Result<Exam> {
        self.recordings.exam(&self.model, limit, float).with_context(|| self.file.display().to_string())
    }
}

/// A single cell with random weights. The integer net is given the whole range of its inputs, beyond what it was
/// calibrated on: saturation must be the same everywhere too.
fn random(net: &Net, cell: &str, options: &str, dtype: DType) -> Result<(Vec<u8>, Recordings)> {
    let (sizes, steps) = ((net.input_size, net.hidden_size), RANDOM_SEQUENCES * RANDOM_STEPS);
    let (network, frames) = random_cell((cell, options), sizes, steps, SEED)?;
    let (f32, i8) = files(&network, &frames)?;
    let values = RANDOM_STEPS * net.input_size;
    let real = || frames.chunks_exact(values).map(<[f32]>::to_vec).collect();
    Ok(match dtype {
        DType::F32 => (f32, Recordings::F32(real())),
        DType::F16 => (write_float::<F16>(&network, &Meta::default(), &frames)?, Recordings::F16(real())),
        DType::I8 => {
            let mut rng = ChaCha8Rng::seed_from_u64(SEED);
            let mut recording = || (0..values).map(|_| rng.random()).collect();
            (i8, Recordings::I8((0..RANDOM_SEQUENCES).map(|_| recording()).collect()))
        }
    })
}
