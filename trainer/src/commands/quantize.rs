//! `ernn quantize`: converts an f32 model to i8 or f16.
//!
//! With the data set that a model was trained on, the i8 file has the bytes that `train` wrote, unless
//! `train` split validation data off: the model does not record that, so all sequences are calibration data
//! here. Masked time steps are removed, as in training.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use embedded_rnn::{DType, F16, F32};

use super::overwrite::Overwrite;
use embedded_rnn_nn::data::{Data, Dataset, Input, Sequences};
use embedded_rnn_nn::output::write_atomically;
use embedded_rnn_pack::quantize::LARGE_ERROR;
use embedded_rnn_pack::session::Session;
use embedded_rnn_pack::{self as pack, ErrorTable, Quantized};

const HELP: &str = "\
The error of a layer is the difference of its output from that of the f32 model on the calibration
data: the worst, and the root mean square. The range is the largest f32 output. Of a classifier, the
outputs whose class is another one are counted. A root mean square over 5 % of the range, or another
class in over 5 % of the outputs, is a warning.

Examples:
  ernn quantize out/digits/model.ernn --calibrate x.npy -o digits.i8.ernn
  ernn quantize out/digits/model.ernn --calibrate x.npy --weights f16 -o digits.f16.ernn";

/// Quantize an f32 model to i8 or f16, and print the quantization error of each layer
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Model file (f32)
    pub model: PathBuf,
    /// Calibration data, typical inputs of the device: [n, time, features], [n, time] of ids or of a single
    /// feature, or the training part of an .npz data set. Targets are not required
    #[arg(long, value_name = "X.npy")]
    pub calibrate: PathBuf,
    /// Lengths of the sequences in an .npy file, `[n]`; the time steps after them are padding
    #[arg(long, value_name = "L.npy")]
    pub lengths: Option<PathBuf>,
    /// The dtype of the weights
    #[arg(long, default_value = "i8")]
    pub weights: Weights,
    /// Reject a model if the root mean square error of a layer is over this share of its range, 0.02 for
    /// example, or if a larger share of a classifier's outputs stands for another class
    #[arg(long, value_name = "SHARE", value_parser = parse_share, allow_negative_numbers = true)]
    pub max_error: Option<f64>,
    /// The path of the model to write
    #[arg(short, long, value_name = "OUT.ernn")]
    pub output: PathBuf,
    /// Whether the output may replace an input.
    #[command(flatten)]
    pub overwrite: Overwrite,
}

/// The dtypes that f32 weights can be converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Weights {
    /// 8-bit integers; arithmetic is in integers
    I8,
    /// Half precision; arithmetic stays f32
    F16,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let inputs = [Some(&args.model), Some(&args.calibrate), args.lengths.as_ref()];
    args.overwrite.check(&args.output, inputs.into_iter().flatten().map(PathBuf::as_path))?;
    let place = || args.model.display().to_string();
    let model = Session::read(&args.model)?;
    let dtype = model.dtype();
    if dtype != DType::F32 {
        bail!("{}: an {} model: only f32 models can be quantized", args.model.display(), dtype.name());
    }
    let (network, meta) = pack::read_float::<F32>(model.bytes()).with_context(place)?;
    let sequences = sequences(&args.calibrate, args.lengths.as_deref(), &model)?;
    let sample = pack::sample(&sequences);
    let quantized = match args.weights {
        Weights::I8 => pack::quantize(&network, &meta, &sample),
        Weights::F16 => pack::quantize_weights::<F16>(&network, &meta, &sample),
    };
    let quantized = quantized.with_context(place)?;
    print_errors(&quantized)?;
    if let Some(share) = args.max_error {
        let first = quantized.excesses(share).next();
        ensure!(first.is_none(), "{}: {}", place(), first.unwrap_or_default());
    }
    warn_of_errors(&quantized, &args.output);
    write_atomically(&args.output, |file| file.write_all(&quantized.bytes))?;
    super::print_line(&format!(
        "Wrote {}, {} bytes ({} before)",
        args.output.display(),
        quantized.bytes.len(),
        model.bytes().len()
    ))
}

/// Parses a share of a range.
fn parse_share(text: &str) -> Result<f64> {
    let share = text.parse::<f64>().context("not a number")?;
    ensure!(share >= 0.0, "not a share of a range, which is at least 0");
    Ok(share)
}

/// Prints the error of each layer, and the changes of the class.
pub(super) fn print_errors(quantized: &Quantized) -> Result<()> {
    super::print_line(&ErrorTable(&quantized.errors).to_string())?;
    quantized.classes.map_or(Ok(()), |classes| super::print_line(&classes.to_string()))
}

/// Warns of each layer of the model at `path` whose error is large, and of a classifier with other classes.
pub(super) fn warn_of_errors(quantized: &Quantized, path: &Path) {
    for reason in quantized.excesses(LARGE_ERROR) {
        super::warn(&format!("{}: {reason}", path.display()));
    }
}

/// Reads the calibration data, without masked time steps.
fn sequences(path: &Path, lengths: Option<&Path>, model: &Session) -> Result<Sequences> {
    let mut place = path.display().to_string();
    let sequences = if path.extension().is_none_or(|extension| extension != "npz") {
        Input::read(path, lengths, model.input_kind())?.sequences
    } else if let Some(lengths) = lengths {
        bail!("{}: {place} contains the lengths: omit --lengths", lengths.display());
    } else {
        let Dataset { sequences, frames_name, .. } = Data::read(path, &[])?.train;
        place = format!("{place}: {frames_name}");
        sequences.check(model.input_kind()).with_context(|| place.clone())?;
        sequences
    };
    match model.mask_value() {
        Some(value) => sequences.without_masked(value).context(place),
        None => Ok(sequences),
    }
}
