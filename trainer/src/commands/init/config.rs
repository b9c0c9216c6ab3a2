//! The text of a config.

use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use embedded_rnn_nn::data::{Data, Dataset, Series, Targets, has_ids};

/// The head of every config.
const HEAD: &str = "\
# A config of `ernn train`. `ernn init --keys` prints every key with its default, unit and meaning.
";

/// The options of the training that do not depend on the data.
const TRAINING: &str = "\
# The passes over all sequences, at most: early stopping ends the training before.
epochs = 100
# The sequences per update.
batch_size = 32
# Larger learns faster, too large diverges.
learning_rate = 0.003
# The largest norm of all gradients together.
global_clipnorm = 1.0

[training.early_stopping]
# The score of the validation data that no longer improves, for so many epochs.
monitor = \"val_loss\"
patience = 10
restore_best_weights = true
";

/// The option of data without a validation part.
const SPLIT: &str = "\
# The share of the training sequences that is scored after every epoch.
validation_split = 0.2
";

/// The line of the labels of classes.
const LABELS: &str = "\
# The names of the classes, in the order of their numbers.
# labels = [\"a\", \"b\"]
";

/// The values of a series from which the next is forecast.
const WINDOW: usize = 12;
/// The share of a series before its test part.
const TRAINED: f64 = 0.8;

/// Returns what was understood of the data at `path`, and a config that reads it as `file`.
pub fn fitting(path: &Path, file: &str, name: &str) -> Result<(Option<String>, String)> {
    if path.extension().and_then(OsStr::to_str) == Some("csv") && Series::is_series(path)? {
        return series(path, file, name);
    }
    let Data { train, validation, test, labels } = Data::read(path, &[])?;
    let [validation, test] = [validation, test].map(|part| part.map(Dataset::with_labels));
    let data = Data { train: train.with_labels(), validation, test, labels };
    let ids = has_ids(path)?;
    let description = data.train.describe();
    let split = match &data.validation {
        Some(_) => "# The file has a validation part.\n",
        None => SPLIT,
    };
    let (layers, loss, labels) = network(&data, ids);
    let text = format!(
        "{HEAD}# {description}\nname = {}\n\n[data]\nfile = {}\n{split}{labels}\n{layers}[training]\n\
         loss = \"{loss}\"\n{TRAINING}",
        quoted(name),
        quoted(file)
    );
    Ok((Some(format!("{}: {description}", path.display())), text))
}

/// Returns a text as a value of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn layer(comment: &str, keys: &str) -> String {
    format!("# {comment}\n[[layers]]\n{keys}\n")
}

/// The numbers of ids and of classes in all parts of the data; of values, those per target.
struct Counts {
    ids: usize,
    outputs: usize,
}

impl Counts {
    fn of(data: &Data) -> Self {
        let parts =
            || [Some(&data.train), data.validation.as_ref(), data.test.as_ref()].into_iter().flatten();
        let frames = parts().flat_map(|part| part.sequences.frames());
        let ids = 1 + frames.fold(0.0f32, |most, &id| most.max(id)) as usize;
        Self { ids, outputs: parts().map(Dataset::width).max().unwrap_or(0) }
    }
}

/// Returns the layers, the loss, and the line of the labels.
fn network(data: &Data, ids: bool) -> (String, &'static str, &'static str) {
    let Counts { ids: inputs, outputs } = Counts::of(data);
    let data = &data.train;
    // The next id of a text is one of its ids.
    let outputs = if ids && data.per_frame { outputs.max(inputs) } else { outputs };
    let (comment, units, activation, loss, labels) = match &data.targets {
        Targets::Sequences(_) => {
            return (pair(outputs, ids.then_some(inputs)), "categorical_crossentropy", "");
        }
        Targets::Labels(_) if outputs <= 2 => {
            ("The probability of class 1.", 1, "sigmoid", "binary_crossentropy", LABELS)
        }
        Targets::Labels(_) => {
            ("A probability per class.", outputs, "softmax", "categorical_crossentropy", LABELS)
        }
        Targets::Values { .. } => ("A value per output.", outputs, "linear", "mse", ""),
    };
    let first = match ids {
        true => layer(
            "A vector per id.",
            &format!("type = \"Embedding\"\ninput_dim = {inputs}\noutput_dim = 16\n"),
        ),
        false => layer("Mean 0 and variance 1 of each feature.", "type = \"Normalization\"\n"),
    };
    let sequences = if data.per_frame { "return_sequences = true\n" } else { "" };
    let cell = layer("Or \"GRU\", \"SimpleRNN\".", &format!("type = \"LSTM\"\nunits = 32\n{sequences}"));
    let last = format!("type = \"Dense\"\nunits = {units}\nactivation = \"{activation}\"\n");
    (first + &cell + &layer(comment, &last), loss, labels)
}

/// Returns the layers of an encoder, of ids or features, and of a decoder of `classes` classes.
fn pair(classes: usize, ids: Option<usize>) -> String {
    let first = match ids {
        Some(ids) => format!("type = \"Embedding\"\ninput_dim = {ids}\noutput_dim = 16\n"),
        None => "type = \"Normalization\"\n".to_owned(),
    };
    format!(
        "# The encoder reads the source; its final state is the first one of the decoder.\n\
         [[encoder]]\n{first}\n\
         [[encoder]]\ntype = \"GRU\"\nunits = 32\n\n\
         # The decoder generates the target; class 0 is its start and end.\n\
         [[layers]]\ntype = \"Embedding\"\n\
         input_dim = {classes}\noutput_dim = 16\n\n[[layers]]\ntype = \"GRU\"\nunits = 32\n\
         return_sequences = true\n\n[[layers]]\ntype = \"Dense\"\nunits = {classes}\n\
         activation = \"softmax\"\n\n"
    )
}

/// Returns the config of a series.
fn series(path: &Path, file: &str, name: &str) -> Result<(Option<String>, String)> {
    let series = Series::read(path)?;
    let rows = series.values.len();
    let window = WINDOW.min(rows / 8);
    ensure!(window > 0, "{}: {rows} rows are too few for a forecast", path.display());
    let split = series.dates.get((rows as f64 * TRAINED) as usize).context("no rows")?;
    let description = format!("a series of {rows} values of {}", series.name);
    let layers = layer("Mean 0 and variance 1.", "type = \"Normalization\"\n")
        + &layer("Or \"GRU\", \"SimpleRNN\".", "type = \"LSTM\"\nunits = 16\n")
        + &layer("The next value.", "type = \"Dense\"\nunits = 1\n");
    let text = format!(
        "{HEAD}# {description}\nname = {}\n\n[data]\nfile = {}\n\
         # The first date of the test part; training uses the values before it.\nsplit_date = \"{split}\"\n\
         # The values from which the next one is forecast.\nwindow = {window}\n\
         # Whether the changes are forecast: a growing series leaves the range of its training part.\n\
         difference = true\n\
         # The share of the windows before the test part that is scored after every epoch.\n\
         validation_split = 0.2\n\n{layers}[training]\nloss = \"mse\"\n{TRAINING}",
        quoted(name),
        quoted(file)
    );
    Ok((Some(format!("{}: {description}", path.display())), text))
}

/// Returns a config to be completed.
pub fn template() -> String {
    format!(
        "{HEAD}name = \"config\"\n\n[data]\n\
         # An .npz file with x_train, y_train and, if there are any, x_test, y_test.\n\
         file = \"data.npz\"\n{SPLIT}\n{}{}{}[training]\nloss = \"categorical_crossentropy\"\n{TRAINING}",
        layer("Mean 0 and variance 1 of each feature.", "type = \"Normalization\"\n"),
        layer("Or \"GRU\", \"SimpleRNN\".", "type = \"LSTM\"\nunits = 32\n"),
        layer("A probability per class.", "type = \"Dense\"\nunits = 10\nactivation = \"softmax\"\n"),
    )
}
