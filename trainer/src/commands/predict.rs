//! `ernn predict`: runs a model over an array of sequences and writes its outputs.

mod table;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;

use super::overwrite::Overwrite;
use embedded_rnn_nn::data::{Dataset, Input, MOST_VALUES, write_npy};
use embedded_rnn_nn::evaluate::{EncoderDecoder, NonFinite};
use embedded_rnn_nn::loss::THRESHOLD;
use embedded_rnn_pack::session::{RunMode, Session};
use table::Table;

const HELP: &str = "\
An encoder-decoder generates the most probable class at each time step until class 0, the end. Its
output is [n, longest] of classes, filled up with 0.

An output with the extension .csv is a table with a line per output: the number of the sequence, the
time step if there are several outputs per sequence, the class with its name, and all values. If the
input is a data set (.npz) with labels, they stand beside the outputs.

Examples:
  ernn predict out/digits/model.ernn --input x.npy --output y.npy
  ernn predict out/digits/model.i8.ernn --input x.npy --lengths l.npy --output y.npy --stream
  ernn predict out/digits/model.i8.ernn --input trainer/examples/digits/digits.npz --output y.csv";

/// Run a model over an array of sequences and write its outputs
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Model file (f32, f16 or i8)
    pub model: PathBuf,
    /// Inputs: [n, time, features]; [n, time] of ids or of a single feature; or with --lengths the
    /// concatenated frames of all sequences, [frames, features]; or a data set (.npz), of which the test part
    /// is used if there is one
    #[arg(long, value_name = "X.npy|DATA.npz")]
    pub input: PathBuf,
    /// Outputs: [n, out]; [n, time, out] or [frames, out] if the model returns sequences; [n, longest] of
    /// classes for an encoder-decoder; or a table (.csv)
    #[arg(long, value_name = "Y.npy|Y.csv")]
    pub output: PathBuf,
    /// Whether the output may replace an input.
    #[command(flatten)]
    pub overwrite: Overwrite,
    /// Lengths of the sequences, `[n]`; the time steps after them are padding, their outputs 0
    #[arg(long, value_name = "L.npy")]
    pub lengths: Option<PathBuf>,
    /// Run one time step per call, as on a device; the outputs are the same
    #[arg(long)]
    pub stream: bool,
    /// Probability above which the output of a detector, a single one, stands for class 1, in a .csv file
    /// [default: 0.5]
    #[arg(long, value_name = "P", value_parser = super::eval::probability, allow_negative_numbers = true)]
    pub threshold: Option<f64>,
    /// Limit of the classes per sequence, for an encoder-decoder [default: 64]
    #[arg(long, value_name = "MAX", value_parser = super::steps_parser(), allow_negative_numbers = true)]
    pub steps: Option<u32>,
}

/// The outputs for all sequences.
struct Outputs {
    shape: Vec<usize>,
    /// The outputs of each sequence, one after another.
    each: Vec<Vec<f32>>,
    non_finite: NonFinite,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let inputs = [Some(&args.model), Some(&args.input), args.lengths.as_ref()];
    args.overwrite.check(&args.output, inputs.into_iter().flatten().map(PathBuf::as_path))?;
    let place = || args.model.display().to_string();
    let model = Session::read(&args.model)?;
    let mode = if args.stream { RunMode::Streaming } else { RunMode::Sequence };
    if args.stream {
        model.check_streams().context("--stream").with_context(place)?;
    }
    ensure!(
        args.steps.is_none() || model.has_decoder(),
        "{}: --steps: the model is no encoder-decoder",
        place()
    );
    let is_table = args.output.extension().is_some_and(|extension| extension == "csv");
    ensure!(is_table || args.threshold.is_none(), "--threshold: not used without a table, --output Y.csv");
    let (input, labeled) = read(args, &model)?;
    let Outputs { shape, each, non_finite } = if model.has_decoder() {
        generated(&model, &input, args.steps.unwrap_or(super::DEFAULT_STEPS), mode).with_context(place)?
    } else {
        let shape = shape(&model, &input);
        check_size(&shape).with_context(|| args.input.display().to_string())?;
        outputs_of(&model, &input, shape, mode).with_context(place)?
    };
    if is_table {
        let threshold = args.threshold.unwrap_or(THRESHOLD);
        let table = Table::new(&model, labeled.as_ref(), threshold);
        let table = table.with_context(|| args.input.display().to_string())?;
        let lines = table.write(&args.output, &each)?;
        super::print_line(&format!("Wrote {}, {lines} lines", args.output.display()))?;
    } else {
        write_npy(&args.output, &shape, &padded(&each, width(&shape, model.has_decoder())))?;
        super::print_line(&format!("Wrote {}, {shape:?}", args.output.display()))?;
    }
    if let Some(complaint) = non_finite.complaint() {
        super::warn(&format!("{}: {complaint}", place()));
    }
    Ok(())
}

/// Reads the sequences, and the data set that they are from.
fn read(args: &Args, model: &Session) -> Result<(Input, Option<Dataset>)> {
    if args.input.extension().is_none_or(|extension| extension != "npz") {
        return Ok((Input::read(&args.input, args.lengths.as_deref(), model.input_kind())?, None));
    }
    let place = || args.input.display().to_string();
    ensure!(args.lengths.is_none(), "{}: --lengths: a data set has lengths of its own", place());
    let data = Dataset::read_test(&args.input, &model.labels())?;
    let data = if model.outputs_probabilities() { data.with_labels() } else { data };
    let sequences = data.sequences.clone();
    sequences.check(model.input_kind()).with_context(|| data.frames_name.clone()).with_context(place)?;
    Ok((Input { sequences, time: None }, Some(data)))
}

/// Returns the values per sequence in the array, with padding; 0 if the sequences have none.
fn width(shape: &[usize], has_decoder: bool) -> usize {
    if has_decoder || shape.len() == 3 { shape[1..].iter().product() } else { 0 }
}

/// Returns the shape of the outputs.
fn shape(model: &Session, input: &Input) -> Vec<usize> {
    let (sequences, out) = (&input.sequences, model.output_size());
    match input.time {
        _ if !model.returns_sequences() => vec![sequences.len(), out],
        Some(time) => vec![sequences.len(), time, out],
        None => vec![sequences.frames().len() / sequences.features, out],
    }
}

/// Rejects outputs that do not fit into memory: a short input can have many outputs.
fn check_size(shape: &[usize]) -> Result<()> {
    let count = shape.iter().fold(1u128, |count, &axis| count.saturating_mul(axis as u128));
    ensure!(count <= MOST_VALUES, "outputs of shape {shape:?} are more than 2^29 values");
    Ok(())
}

/// Returns the outputs of a model.
fn outputs_of(model: &Session, input: &Input, shape: Vec<usize>, mode: RunMode) -> Result<Outputs> {
    let outputs = for_each_sequence(input, |frames| model.predict(frames, mode))?;
    Ok(Outputs { shape, non_finite: non_finite(&outputs), each: outputs })
}

/// Returns the classes that an encoder-decoder generates; the shape has at least one column.
fn generated(model: &Session, input: &Input, limit: u32, mode: RunMode) -> Result<Outputs> {
    let outputs = for_each_sequence(input, |frames| {
        Ok(model.decode(frames, limit as usize, mode)?.into_iter().map(f32::from).collect())
    })?;
    // The probabilities behind the classes, which alone show whether the model computed with NaN.
    let probabilities: Vec<_> = outputs
        .par_iter()
        .enumerate()
        .map(|(s, classes)| model.predict_forced(input.sequences.get(s), classes))
        .collect::<Result<_>>()?;
    let longest = outputs.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let shape = vec![outputs.len(), longest];
    check_size(&shape)?;
    Ok(Outputs { shape, each: outputs, non_finite: non_finite(&probabilities) })
}

fn for_each_sequence(
    input: &Input,
    run: impl Fn(&[f32]) -> Result<Vec<f32>> + Sync,
) -> Result<Vec<Vec<f32>>> {
    let sequences = &input.sequences;
    (0..sequences.len()).into_par_iter().map(|s| run(sequences.get(s))).collect()
}

/// Counts the outputs of all sequences that are not finite.
fn non_finite(outputs: &[Vec<f32>]) -> NonFinite {
    outputs.iter().map(|outputs| NonFinite::of(outputs)).fold(NonFinite::default(), NonFinite::plus)
}

/// Concatenates the outputs, each filled up with zeros to `width` values.
fn padded(outputs: &[Vec<f32>], width: usize) -> Vec<f32> {
    let mut values = Vec::new();
    for output in outputs {
        let end = values.len() + width.max(output.len());
        values.extend_from_slice(output);
        values.resize(end, 0.0);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_too_large_for_memory_are_rejected() {
        assert!(check_size(&[1 << 10, 1 << 10, 1 << 9]).is_ok());
        assert!(check_size(&[1 << 10, 1 << 10, (1 << 9) + 1]).is_err());
        assert!(check_size(&[usize::MAX, usize::MAX, usize::MAX]).is_err());
    }
}
