//! `ernn predict`: what a model answers to an array of sequences.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;

use crate::data::{Input, MOST_VALUES, write_npy};
use crate::deployed::ModelFile;

/// Run a model over an array of sequences
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  ernn predict out/digits/model.ernn --input x.npy --output y.npy --stream"
)]
pub struct Args {
    /// The model, f32 or 8-bit
    pub model: PathBuf,
    /// Inputs, [n, time, features], or [n, time] of one feature
    #[arg(long, value_name = "X.npy")]
    pub input: PathBuf,
    /// Where to write the outputs, [n, out] or [n, time, out]
    #[arg(long, value_name = "Y.npy")]
    pub output: PathBuf,
    /// How many steps of each sequence count, `[n]`; outputs for the others are 0
    #[arg(long, value_name = "L.npy")]
    pub lengths: Option<PathBuf>,
    /// Go one step a call, as a device does
    #[arg(long)]
    pub stream: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let file = ModelFile::read(&args.model)?;
    let model = file.deploy()?;
    let Input { sequences, time } = Input::read(&args.input, args.lengths.as_deref(), model.input_size())?;
    let out = model.output_size();
    // Of each sequence, padding included.
    let answers = if model.returns_sequences() { time } else { Some(1) };
    let shape = match answers {
        Some(answers) if model.returns_sequences() => vec![sequences.len(), answers, out],
        Some(_) => vec![sequences.len(), out],
        None => vec![sequences.frames().len() / sequences.features, out],
    };
    check_size(&shape).with_context(|| args.input.display().to_string())?;

    let predict = |s: usize| {
        let frames = sequences.get(s);
        if args.stream { model.predict_stepwise(frames) } else { model.predict(frames) }
    };
    let outputs: Vec<Vec<f32>> = (0..sequences.len())
        .into_par_iter()
        .map(predict)
        .collect::<Result<_>>()
        .with_context(|| args.model.display().to_string())?;

    let mut values = Vec::with_capacity(shape.iter().product());
    for output in outputs {
        let end = values.len() + answers.map_or(output.len(), |answers| answers * out);
        values.extend(output);
        values.resize(end, 0.0);
    }
    write_npy(&args.output, &shape, &values)?;
    super::say(&format!("Wrote {}, {shape:?}", args.output.display()))
}

/// A small model over a small input may still give more than fits into memory.
fn check_size(shape: &[usize]) -> Result<()> {
    let count = shape.iter().fold(1u128, |count, &axis| count.saturating_mul(axis as u128));
    ensure!(count <= MOST_VALUES, "the outputs, {shape:?}, would be more than 2^29 values");
    Ok(())
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
