//! `ernn quantize`: from f32 weights to 8-bit ones, or to half floats.
//!
//! On the data set that a model was trained on it gives the bytes that `train` wrote, unless that had to split validation
//! data off: the model does not tell of it, so all sequences are taken here. As in training, masked time steps are not.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use embedded_rnn::{DType, F16, F32};

use embedded_rnn_nn::data::{Data, Dataset, Input, Sequences};
use embedded_rnn_nn::output::write_atomically;
use embedded_rnn_pack::session::Session;
use embedded_rnn_pack::{self as pack, ErrorTable};

/// Turn an f32 model into an 8-bit one and print the error that caused, layer by layer; or into one of half floats
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ernn quantize out/digits/model.ernn --calibrate x.npy -o digits.i8.ernn\n  \
                  ernn quantize out/digits/model.ernn --calibrate x.npy --weights f16 -o digits.f16.ernn"
)]
pub struct Args {
    /// The f32 model
    pub model: PathBuf,
    /// Inputs as they will be met: [n, time, features], [n, time] of ids or of one feature, or an .npz data set, whose training
    /// part is taken. No targets are needed: an encoder-decoder is calibrated on what it writes
    #[arg(long, value_name = "X.npy")]
    pub calibrate: PathBuf,
    /// How many steps of each sequence count, `[n]`
    #[arg(long, value_name = "L.npy")]
    pub lengths: Option<PathBuf>,
    /// What the weights become
    #[arg(long, default_value = "i8")]
    pub weights: Weights,
    /// Where to write the model
    #[arg(short, long, value_name = "OUT.ernn")]
    pub output: PathBuf,
}

/// What f32 weights can be turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Weights {
    /// 8 bits, and integer arithmetic
    I8,
    /// Half floats, and f32 arithmetic
    F16,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let place = || args.model.display().to_string();
    let model = Session::read(&args.model)?;
    let dtype = model.dtype();
    if dtype != DType::F32 {
        bail!("{}: an {} model already: an f32 one is quantized", args.model.display(), dtype.name());
    }
    let (network, meta) = pack::read_float::<F32>(model.bytes()).with_context(place)?;
    let sequences = sequences(&args.calibrate, args.lengths.as_deref(), &model)?;
    let sample = pack::sample(&sequences);
    let quantized = match args.weights {
        Weights::I8 => pack::quantize(&network, &meta, &sample),
        Weights::F16 => pack::quantize_weights::<F16>(&network, &meta, &sample),
    };
    let quantized = quantized.with_context(place)?;
    write_atomically(&args.output, |file| file.write_all(&quantized.bytes))?;
    super::say(&format!(
        "{}\nWrote {}, {} bytes ({} before)",
        ErrorTable(&quantized.errors),
        args.output.display(),
        quantized.bytes.len(),
        model.bytes().len()
    ))
}

/// What to calibrate the model on.
fn sequences(path: &Path, lengths: Option<&Path>, model: &Session) -> Result<Sequences> {
    let mut place = path.display().to_string();
    let sequences = if path.extension().is_none_or(|extension| extension != "npz") {
        Input::read(path, lengths, model.input_kind())?.sequences
    } else if let Some(lengths) = lengths {
        bail!("{}: {place} has its own lengths", lengths.display());
    } else {
        let Dataset { sequences, frames_name, .. } = Data::read(path)?.train;
        place = format!("{place}: {frames_name}");
        sequences.check(model.input_kind()).with_context(|| place.clone())?;
        sequences
    };
    match model.mask_value() {
        Some(value) => sequences.without_masked(value).context(place),
        None => Ok(sequences),
    }
}
