//! The nets that run on the boards, with their recordings and the PC's answers.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::ValueEnum;
use embedded_rnn::{F16, F32, I8, Model, Number};
use embedded_rnn_trainer::pack::{AlignedBytes, Meta, Random, files, write_float};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::boards::Float;
use crate::cmd::root;
use crate::exam::{Exam, Recordings, takes_sequences};
use crate::examples::Example;

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
    /// Layers as a config has them; weights and recordings are random, from a seed.
    Random(&'static str),
    /// An example of the trainer's, with the recordings of its test set.
    Example(Example),
}

const fn random(
    name: &'static str,
    cell: &'static str,
    (input_size, hidden_size): (usize, usize),
    layers: &'static str,
) -> Net {
    Net { name, cell, input_size, hidden_size, source: Source::Random(layers) }
}

/// An example that is trained for few epochs and has few of its sequences run.
const fn example(
    name: &'static str,
    cell: &'static str,
    (input_size, hidden_size): (usize, usize),
    config: &'static str,
) -> Net {
    let example = Example { config, epochs: 2, sequences: 40 };
    Net { name, cell, input_size, hidden_size, source: Source::Example(example) }
}

/// A cell that answers at every step.
macro_rules! cell {
    ($name:literal, $cell:literal, $keras:literal $($option:literal)?, $input_size:literal, $units:literal) => {
        random(
            $name,
            $cell,
            ($input_size, $units),
            concat!("{ type = '", $keras, "', return_sequences = true, units = ", $units, $(", ", $option,)? " }"),
        )
    };
}

/// All nets: single cells of the sizes that others publish, the other layers and ways through them, and the examples.
pub static NETS: &[Net] = &[
    cell!("lstm-1x16", "lstm", "LSTM", 1, 16),
    cell!("lstm-10x32", "lstm", "LSTM", 10, 32),
    cell!("lstm-40x64", "lstm", "LSTM", 40, 64),
    cell!("lstm-1x50", "lstm", "LSTM", 1, 50),
    cell!("lstm-40x128", "lstm", "LSTM", 40, 128),
    cell!("gru-1x16", "gru", "GRU", 1, 16),
    cell!("gru-10x32", "gru", "GRU", 10, 32),
    cell!("gru-40x64", "gru", "GRU", 40, 64),
    cell!("gru-before-10x32", "gru_reset_before", "GRU" "reset_after = false", 10, 32),
    cell!("rnn-10x32", "simple_rnn", "SimpleRNN", 10, 32),
    cell!(
        "gru-before-relu-10x32",
        "gru_reset_before",
        "GRU" "reset_after = false, activation = 'relu', recurrent_activation = 'hard_sigmoid'",
        10,
        32
    ),
    random(
        "bidirectional-10x16",
        "lstm",
        (10, 16),
        "{ type = 'Bidirectional', layer = { type = 'LSTM', units = 16, return_sequences = true } }, \
         { type = 'Bidirectional', merge_mode = 'ave', layer = { type = 'GRU', units = 8 } }, \
         { type = 'Dense', units = 4, activation = 'softmax' }",
    ),
    random(
        "normalized-10x16",
        "gru",
        (10, 16),
        "{ type = 'Masking', mask_value = 0.5 }, { type = 'GRU', units = 16, return_sequences = true }, \
         { type = 'LayerNormalization' }, { type = 'SimpleRNN', units = 8, activation = 'relu', return_sequences = true }, \
         { type = 'BatchNormalization' }, { type = 'LayerNormalization' }, { type = 'Dense', units = 4 }",
    ),
    random(
        "activations-10x16",
        "gru",
        (10, 16),
        "{ type = 'Dense', units = 16, activation = 'gelu' }, { type = 'GRU', units = 16, return_sequences = true }, \
         { type = 'Activation', activation = 'softplus' }, { type = 'Dense', units = 8, activation = 'selu' }, \
         { type = 'Dense', units = 4, activation = 'squareplus' }",
    ),
    Net {
        name: "digits",
        cell: "lstm",
        input_size: 13,
        hidden_size: 32,
        source: Source::Example(Example { config: "digits/digits", epochs: 30, sequences: usize::MAX }),
    },
    example("reuters-rnn", "simple_rnn", (1, 50), "reuters/simple_rnn"),
    example("reuters-bidirectional", "simple_rnn", (1, 50), "reuters/bidirectional"),
    example("reuters-2-rnn", "simple_rnn", (1, 50), "reuters/stacked_simple_rnn"),
    example("reuters-lstm", "lstm", (1, 50), "reuters/lstm"),
    example("reuters-2-lstm", "lstm", (1, 50), "reuters/stacked_lstm"),
    example("reuters-embedding", "lstm", (1, 32), "reuters/embedding"),
    example("home-prices", "lstm", (1, 16), "home_prices/us"),
    example("apartments", "lstm", (1, 8), "home_prices/apartment"),
    example("digits8x8", "gru", (8, 48), "digits8x8/digits8x8"),
    example("seglearn", "gru", (6, 32), "seglearn/seglearn"),
    example("name2nat", "lstm", (1, 64), "name2nat/name2nat"),
    example("cmudict", "gru", (1, 128), "cmudict/cmudict"),
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
    /// RAM that a state of it takes, and its longest sequence if it reads whole ones.
    pub ram_needed: usize,
    /// Time steps that a board gives it at once; 0 if it is given one after another.
    pub steps: usize,
    /// Values that it answers to these.
    pub output_len: usize,
    recordings: Recordings,
}

impl Case {
    /// Makes the net and its recordings, and writes the model file for the firmware to include.
    pub fn prepare(net: &'static Net, dtype: DType) -> Result<Self> {
        let (model, recordings) = match &net.source {
            Source::Random(layers) => random_case(net, layers, dtype)?,
            Source::Example(example) => example.prepare(dtype)?,
        };
        let folder = root().join("target/boards/nets");
        fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{}.{}.ernn", net.name, dtype.name()));
        fs::write(&file, &model).with_context(|| format!("writing {}", file.display()))?;
        let longest = recordings.longest() / net.input_size.max(1);
        let (steps, output_len) = match dtype {
            DType::I8 => at_once::<I8>(&model, longest)?,
            DType::F16 => at_once::<F16>(&model, longest)?,
            DType::F32 => at_once::<F32>(&model, longest)?,
        };
        let ram_needed = embedded_rnn::ram_needed_for(&model, steps);
        Ok(Self { net, dtype, model, file, ram_needed, steps, output_len, recordings })
    }

    /// For names of folders.
    pub fn label(&self) -> String {
        format!("{}.{}", self.net.name, self.dtype.name())
    }

    /// Recordings until they have `limit` steps, with the PC's answers in the arithmetic of the board.
    pub fn exam(&self, limit: usize, float: Float) -> Result<Exam> {
        self.recordings.exam(&self.model, limit, float).with_context(|| self.file.display().to_string())
    }
}

impl Net {
    /// Why it cannot be made here, if so.
    pub fn missing(&self) -> Result<Option<String>> {
        let Source::Example(example) = &self.source else { return Ok(None) };
        let missing = example.missing()?;
        Ok(missing.map(|file| format!("{} is missing: cargo xtask data --all", file.display())))
    }
}

/// The time steps that a board gives a model at once, of sequences of up to `longest`, and the values that it answers.
fn at_once<N: Number>(model: &[u8], longest: usize) -> Result<(usize, usize)> {
    let bytes = AlignedBytes::new(model);
    let model = Model::<N>::new(&bytes)?;
    let steps = if takes_sequences(&model) { longest } else { 0 };
    Ok((steps, if steps > 0 { model.run_output_len(steps) } else { 0 }))
}

/// A net with random weights. The integer net is given the whole range of its inputs, beyond what it was calibrated on:
/// saturation must be the same everywhere too.
fn random_case(net: &Net, layers: &str, dtype: DType) -> Result<(Vec<u8>, Recordings)> {
    let steps = RANDOM_SEQUENCES * RANDOM_STEPS;
    let (network, frames) = Random { layers, input_size: net.input_size, steps, seed: SEED }.make()?;
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
