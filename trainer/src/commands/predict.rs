//! `ernn predict`: what a model answers to an array of sequences.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;

use embedded_rnn_nn::data::{Input, MOST_VALUES, write_npy};
use embedded_rnn_pack::session::{RunMode, Session};

/// Run a model over an array of sequences
#[derive(clap::Args)]
#[command(
    after_help = "Of an encoder-decoder the output is what it writes, the likeliest class at each step: [n, longest] of classes, \
                  with 0, the end, behind what is written.\n\n\
                  Example:\n  ernn predict out/digits/model.ernn --input x.npy --output y.npy --stream"
)]
pub struct Args {
    /// The model, f32 or 8-bit
    pub model: PathBuf,
    /// Inputs: [n, time, features], [n, time] of ids for an Embedding or of one feature, or with --lengths all frames one
    /// after another, [frames, features]
    #[arg(long, value_name = "X.npy")]
    pub input: PathBuf,
    /// Where to write the outputs: [n, out]; [n, time, out] where the model answers at every step; or what an encoder-decoder
    /// writes, [n, longest]
    #[arg(long, value_name = "Y.npy")]
    pub output: PathBuf,
    /// How many steps of each sequence count, `[n]`; outputs for the others are 0
    #[arg(long, value_name = "L.npy")]
    pub lengths: Option<PathBuf>,
    /// Go one step a call, as a device does
    #[arg(long)]
    pub stream: bool,
    /// The most that an encoder-decoder writes for a sequence [default: 64]
    #[arg(long, value_name = "MOST", value_parser = super::steps(), allow_negative_numbers = true)]
    pub steps: Option<u32>,
}

/// What a model gives for all sequences.
struct Outputs {
    shape: Vec<usize>,
    values: Vec<f32>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let place = || args.model.display().to_string();
    let model = Session::read(&args.model)?;
    let mode = if args.stream { RunMode::Streaming } else { RunMode::Sequence };
    if args.stream {
        model.check_streams().context("--stream").with_context(place)?;
    }
    ensure!(
        args.steps.is_none() || model.has_decoder(),
        "{}: --steps: only an encoder-decoder writes",
        place()
    );
    let input = Input::read(&args.input, args.lengths.as_deref(), model.input_kind())?;
    let Outputs { shape, values } = if model.has_decoder() {
        written(&model, &input, args.steps.unwrap_or(super::STEPS), mode).with_context(place)?
    } else {
        let shape = shape(&model, &input);
        check_size(&shape).with_context(|| args.input.display().to_string())?;
        answered(&model, &input, shape, mode).with_context(place)?
    };
    write_npy(&args.output, &shape, &values)?;
    super::say(&format!("Wrote {}, {shape:?}", args.output.display()))
}

/// The shape of what a model answers.
fn shape(model: &Session, input: &Input) -> Vec<usize> {
    let (sequences, out) = (&input.sequences, model.output_size());
    match input.time {
        _ if !model.returns_sequences() => vec![sequences.len(), out],
        Some(time) => vec![sequences.len(), time, out],
        None => vec![sequences.frames().len() / sequences.features, out],
    }
}

/// A small model over a small input may still give more than fits into memory.
fn check_size(shape: &[usize]) -> Result<()> {
    let count = shape.iter().fold(1u128, |count, &axis| count.saturating_mul(axis as u128));
    ensure!(count <= MOST_VALUES, "the outputs, {shape:?}, would be more than 2^29 values");
    Ok(())
}

/// What a model answers, with zeros where an array has padding.
fn answered(model: &Session, input: &Input, shape: Vec<usize>, mode: RunMode) -> Result<Outputs> {
    let outputs = of_each(input, |frames| model.predict(frames, mode))?;
    // Of each sequence, padding included.
    let width = if shape.len() == 3 { shape[1] * shape[2] } else { 0 };
    Ok(Outputs { values: padded(&outputs, width), shape })
}

/// What an encoder-decoder writes, with the end behind it. One column at least: an array of none says nothing.
fn written(model: &Session, input: &Input, most: u32, mode: RunMode) -> Result<Outputs> {
    let outputs = of_each(input, |frames| {
        Ok(model.decode(frames, most as usize, mode)?.into_iter().map(f32::from).collect())
    })?;
    let longest = outputs.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let shape = vec![outputs.len(), longest];
    check_size(&shape)?;
    Ok(Outputs { shape, values: padded(&outputs, longest) })
}

fn of_each(input: &Input, run: impl Fn(&[f32]) -> Result<Vec<f32>> + Sync) -> Result<Vec<Vec<f32>>> {
    let sequences = &input.sequences;
    (0..sequences.len()).into_par_iter().map(|s| run(sequences.get(s))).collect()
}

/// One after another, each filled up with zeros to `width` values.
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
    fn outputs_that_no_memory_holds_are_refused() {
        assert!(check_size(&[1 << 10, 1 << 10, 1 << 9]).is_ok());
        assert!(check_size(&[1 << 10, 1 << 10, (1 << 9) + 1]).is_err());
        assert!(check_size(&[usize::MAX, usize::MAX, usize::MAX]).is_err());
    }
}
