//! The table of networks that run on the boards.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use embedded_rnn::{F16, F32, I8, Model, Number};
use embedded_rnn_trainer::pack::AlignedBytes;
use xtask::args::DType;
use xtask::boards::{Float, Selection};
use xtask::cmd::root;

use crate::conformance::{Conformance, runs_whole_sequences};
use crate::examples::Example;
use crate::random;
use crate::vectors::TestVectors;

/// A row of the table.
pub struct Net {
    /// Name on the command line, and the key `model` of the results.
    pub name: &'static str,
    /// Recurrent cell.
    pub cell: &'static str,
    /// Values per time step.
    pub input_size: usize,
    /// Units of the recurrent layer.
    pub hidden_size: usize,
    source: Source,
}

/// Origin of a network's weights and test vectors.
enum Source {
    /// Layers as in a config, with random weights and test vectors.
    Random(&'static str),
    /// An example of the trainer, with the sequences of its test set.
    Example(Example),
}

const fn random_weights(
    name: &'static str,
    cell: &'static str,
    (input_size, hidden_size): (usize, usize),
    layers: &'static str,
) -> Net {
    Net { name, cell, input_size, hidden_size, source: Source::Random(layers) }
}

/// Makes the row of an example that is trained for few epochs and runs few of its sequences.
const fn example(
    name: &'static str,
    cell: &'static str,
    (input_size, hidden_size): (usize, usize),
    config: &'static str,
) -> Net {
    let example = Example { config, epochs: 2, sequences: 40 };
    Net { name, cell, input_size, hidden_size, source: Source::Example(example) }
}

/// Makes the row of a single cell with an output at every time step.
macro_rules! cell {
    (
        $name:literal, $cell:literal, $keras:literal $($option:literal)?,
        $input_size:literal, $units:literal
    ) => {
        random_weights(
            $name,
            $cell,
            ($input_size, $units),
            concat!(
                concat!("{ type = '", $keras, "', return_sequences = true, units = ", $units),
                $(", ", $option,)?
                " }"
            ),
        )
    };
}

/// All networks: single cells of the sizes in published comparisons, all other layers, and the examples.
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
    random_weights(
        "lstm-dense-10x32",
        "lstm",
        (10, 32),
        "{ type = 'LSTM', units = 32 }, { type = 'Dense', units = 4, activation = 'softmax' }",
    ),
    random_weights(
        "gru-dense-10x32",
        "gru",
        (10, 32),
        "{ type = 'GRU', units = 32 }, { type = 'Dense', units = 4, activation = 'softmax' }",
    ),
    random_weights(
        "residual-10x16",
        "gru",
        (10, 16),
        "{ type = 'Dense', units = 16 }, { type = 'GRU', units = 16, return_sequences = true }, \
         { type = 'Add', span = 1 }, { type = 'Dense', units = 4 }",
    ),
    // Every number of quads modulo four, and of units, over the input and the state of a layer.
    random_weights(
        "uneven-10x27",
        "lstm",
        (10, 27),
        "{ type = 'LSTM', units = 27, return_sequences = true }, \
         { type = 'LSTM', units = 22, return_sequences = true }, \
         { type = 'GRU', units = 5, return_sequences = true }, \
         { type = 'LSTM', units = 18, return_sequences = true }, \
         { type = 'GRU', units = 29, return_sequences = true }, \
         { type = 'LSTM', units = 6, return_sequences = true }",
    ),
    random_weights(
        "bidirectional-10x16",
        "lstm",
        (10, 16),
        "{ type = 'Bidirectional', layer = { type = 'LSTM', units = 16, return_sequences = true } }, \
         { type = 'Bidirectional', merge_mode = 'ave', layer = { type = 'GRU', units = 8 } }, \
         { type = 'Dense', units = 4, activation = 'softmax' }",
    ),
    random_weights(
        "normalized-10x16",
        "gru",
        (10, 16),
        "{ type = 'Masking', mask_value = 0.5 }, { type = 'GRU', units = 16, return_sequences = true }, \
         { type = 'LayerNormalization' }, \
         { type = 'SimpleRNN', units = 8, activation = 'relu', return_sequences = true }, \
         { type = 'BatchNormalization' }, { type = 'LayerNormalization' }, { type = 'Dense', units = 4 }",
    ),
    random_weights(
        "mean-10x16",
        "gru",
        (10, 16),
        "{ type = 'GRU', units = 16, return_sequences = true }, { type = 'GlobalAveragePooling1D' }, \
         { type = 'Dense', units = 4 }",
    ),
    random_weights(
        "maximum-10x16",
        "gru",
        (10, 16),
        "{ type = 'GRU', units = 16, return_sequences = true }, { type = 'Dense', units = 6 }, \
         { type = 'GlobalMaxPooling1D' }",
    ),
    random_weights(
        "activations-10x16",
        "gru",
        (10, 16),
        "{ type = 'Dense', units = 16, activation = 'gelu' }, \
         { type = 'GRU', units = 16, return_sequences = true }, \
         { type = 'Activation', activation = 'softplus' }, \
         { type = 'Dense', units = 8, activation = 'selu' }, \
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

/// A network in one dtype, ready for any board.
pub struct Case {
    /// Row of the table.
    pub net: &'static Net,
    /// Dtype of the model file.
    pub dtype: DType,
    /// Content of the model file.
    pub model: Vec<u8>,
    /// Path of the model file.
    pub file: PathBuf,
    /// Bytes of RAM for a state, and for the longest sequence if the model runs whole sequences.
    pub ram_needed: usize,
    /// Time steps per call of `run`; 0 for a model that runs step by step.
    pub steps: usize,
    /// Outputs per call of `run`.
    pub output_len: usize,
    vectors: TestVectors,
}

impl Case {
    /// Makes the network and its test vectors, and writes the model file for the firmware to include.
    pub fn prepare(net: &'static Net, dtype: DType) -> Result<Self> {
        let (model, vectors) = match &net.source {
            Source::Random(layers) => random::prepare(layers, net.input_size, dtype)?,
            Source::Example(example) => example.prepare(dtype)?,
        };
        let folder = root().join("target/boards/nets");
        fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{}.{}.ernn", net.name, dtype.name()));
        fs::write(&file, &model).with_context(|| format!("writing {}", file.display()))?;
        let longest = vectors.longest() / net.input_size.max(1);
        let (steps, output_len) = match dtype {
            DType::I8 => whole_sequences::<I8>(&model, longest)?,
            DType::F16 => whole_sequences::<F16>(&model, longest)?,
            DType::F32 => whole_sequences::<F32>(&model, longest)?,
        };
        let ram_needed = embedded_rnn::ram_needed_for(&model, steps);
        Ok(Self { net, dtype, model, file, ram_needed, steps, output_len, vectors })
    }

    /// Returns a label for names of folders.
    pub fn label(&self) -> String {
        format!("{}.{}", self.net.name, self.dtype.name())
    }

    /// Returns the test vectors as bytes, one sequence each.
    pub fn sequences(&self) -> Vec<&[u8]> {
        self.vectors.sequences()
    }

    /// Computes the PC's outputs in the arithmetic of a board, over test vectors until they have `limit` time
    /// steps.
    pub fn conformance(&self, limit: usize, float: Float) -> Result<Conformance> {
        Conformance::new(&self.model, &self.vectors, limit, float)
            .with_context(|| self.file.display().to_string())
    }
}

impl Net {
    /// Returns whether the network is the same wherever it is made.
    pub fn has_random_weights(&self) -> bool {
        matches!(self.source, Source::Random(_))
    }

    /// Returns whether a run of all boards runs the network on boards of this selection.
    pub fn is_selected_by(&self, selection: Selection) -> bool {
        match selection {
            Selection::All => true,
            // The random networks of one input size are one of each cell and layer.
            Selection::OnePerLayer => self.has_random_weights() && self.input_size == 10,
        }
    }

    /// Returns the reason if the network cannot be made here.
    pub fn missing(&self) -> Result<Option<String>> {
        let Source::Example(example) = &self.source else { return Ok(None) };
        let missing = example.missing()?;
        Ok(missing.map(|file| format!("{} is missing: cargo xtask data --all", file.display())))
    }
}

/// Returns the time steps and the outputs per call of `run` with the longest sequence; 0 where the board
/// calls `step`.
fn whole_sequences<N: Number>(model: &[u8], longest: usize) -> Result<(usize, usize)> {
    let bytes = AlignedBytes::new(model);
    let model = Model::<N>::new(&bytes)?;
    if !runs_whole_sequences(&model) {
        return Ok((0, 0));
    }
    Ok((longest, model.run_output_len(longest)))
}
