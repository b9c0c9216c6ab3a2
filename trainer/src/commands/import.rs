//! `ernn import`: networks trained in Keras or PyTorch, or written as ONNX.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::ValueEnum;
use embedded_rnn::{F16, F32};

use crate::import;
use crate::output::write_atomically;

/// Turn a trained network of another framework into a model: a .keras, .h5, .hdf5, .onnx or .safetensors file
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  ernn import gestures.keras -o gestures.ernn\n  \
                        ernn import denoiser.onnx -o denoiser.ernn --weights f16\n  \
                        ernn import tags.safetensors -o tags.ernn --return-sequences --activation fc=softmax\n  \
                        ernn import vad.safetensors -o vad.ernn --prefix decoder. --modules rnn,fc1,fc2 --activation fc1=relu")]
pub struct Args {
    /// The file of the other framework
    pub file: PathBuf,
    /// What the weights become; `ernn quantize` goes on to 8 bits
    #[arg(long, default_value = "f32")]
    pub weights: Weights,
    /// The model's name; the file's unless said otherwise
    #[arg(long)]
    pub name: Option<String>,
    /// Where to write the model
    #[arg(short, long, value_name = "OUT.ernn")]
    pub output: PathBuf,
    /// What a state dict does not say.
    #[command(flatten)]
    pub pytorch: import::pytorch::Options,
}

/// Floats that an imported model can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Weights {
    /// As they were trained
    F32,
    /// Half floats; arithmetic stays f32
    F16,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let place = || args.file.display().to_string();
    let mut imported = import::read_with(&args.file, &args.pytorch).with_context(place)?;
    if let Some(name) = &args.name {
        imported.meta.name.clone_from(name);
    }
    let bytes = match args.weights {
        Weights::F32 => imported.write::<F32>(),
        Weights::F16 => imported.write::<F16>(),
    };
    let bytes = bytes.with_context(place)?;
    write_atomically(&args.output, |file| file.write_all(&bytes))?;
    super::say(&format!(
        "Wrote {}, {} bytes, of {} layers read: `ernn inspect` shows what they became",
        args.output.display(),
        bytes.len(),
        imported.network.layers.len()
    ))
}
