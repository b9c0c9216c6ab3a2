//! `ernn import`: converts networks that were trained in Keras or PyTorch, or exported as ONNX.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::ValueEnum;
use embedded_rnn::{F16, F32};

use super::overwrite::Overwrite;
use embedded_rnn_import::Importers;
use embedded_rnn_import::keras::Keras;
use embedded_rnn_import::onnx::{Cut, Onnx};
use embedded_rnn_import::pytorch::{self, PyTorch};
use embedded_rnn_nn::activation::Activation;
use embedded_rnn_nn::output::write_atomically;

/// Convert a trained network of another framework to a model: a .keras, .h5, .hdf5, .onnx or .safetensors
/// file
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  ernn import gestures.keras -o gestures.ernn\n  \
                        ernn import denoiser.onnx -o denoiser.ernn --weights f16\n  \
                        ernn import speech.onnx -o speech.ernn --from /norm/Add --to /fc/Add\n  \
                        ernn import tags.safetensors -o tags.ernn --return-sequences \
                        --activation fc=softmax\n  \
                        ernn import vad.safetensors -o vad.ernn --prefix decoder. --modules rnn,fc1,fc2 \
                        --activation fc1=relu")]
pub struct Args {
    /// The file of the other framework
    pub file: PathBuf,
    /// The dtype of the weights; `ernn quantize` converts the model to 8 bits
    #[arg(long, default_value = "f32")]
    pub weights: WeightDtype,
    /// The name of the model [default: the name stored in the file, or the file name]
    #[arg(long)]
    pub name: Option<String>,
    /// The path of the model to write
    #[arg(short, long, value_name = "OUT.ernn")]
    pub output: PathBuf,
    /// Whether the output may replace the file.
    #[command(flatten)]
    pub overwrite: Overwrite,
    /// The options of an ONNX graph.
    #[command(flatten)]
    pub onnx: OnnxArgs,
    /// The options of a state dict.
    #[command(flatten)]
    pub pytorch: PyTorchArgs,
}

/// The flags for an `.onnx` file.
#[derive(clap::Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Options for .onnx files")]
pub struct OnnxArgs {
    /// Start at this tensor inside the graph, as the input of the model; given several times, the others are
    /// initial states
    #[arg(long, value_name = "TENSOR")]
    pub from: Vec<String>,
    /// End at this tensor inside the graph, as the output of the model
    #[arg(long, value_name = "TENSOR")]
    pub to: Option<String>,
}

impl From<OnnxArgs> for Onnx {
    fn from(OnnxArgs { from, to }: OnnxArgs) -> Self {
        Self { cut: Cut { from, to } }
    }
}

/// The dtypes of the weights of an imported model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WeightDtype {
    /// As trained
    F32,
    /// Half precision; arithmetic stays f32
    F16,
}

/// The flags for a `.safetensors` file.
#[derive(clap::Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Options for .safetensors files, which contain no architecture")]
pub struct PyTorchArgs {
    /// Use only tensors whose names start with PREFIX, and remove it from the names: `encoder.`
    #[arg(long, value_name = "PREFIX")]
    pub prefix: Option<String>,
    /// Exclude these modules with all tensors below them, or single tensors: `stft_conv,conv1,noise.std`
    #[arg(long, value_name = "NAME,..", value_delimiter = ',')]
    pub without: Vec<String>,
    /// All modules in their order, if it does not follow from names and sizes: `lstm,fc1,fc2`
    #[arg(long, value_name = "MODULE,..", value_delimiter = ',')]
    pub modules: Vec<String>,
    /// The role (embedding or linear) of a weight with two axes and no bias, if both fit: `table=embedding`
    #[arg(long = "as", value_name = "MODULE=ROLE,..", value_delimiter = ',', value_parser = role)]
    pub roles: Vec<(String, pytorch::WeightRole)>,
    /// The activations after modules; all others are linear: `fc1=relu,fc2=softmax`
    #[arg(long, value_name = "MODULE=FUNCTION,..", value_delimiter = ',', value_parser = activation)]
    pub activation: Vec<(String, Activation)>,
    /// The tensors that are the initial states of modules, c only for an LSTM [default: zeros]: `lstm=h0:c0`
    #[arg(long, value_name = "MODULE=H[:C],..", value_delimiter = ',', value_parser = initial)]
    pub initial: Vec<(String, Vec<String>)>,
    /// The activation of nn.RNN [default: tanh]
    #[arg(long)]
    pub nonlinearity: Option<Nonlinearity>,
    /// Output every time step, and not only the last
    #[arg(long)]
    pub return_sequences: bool,
    /// Output the last time step of both directions of a bidirectional LSTM or RNN, `out[:, -1]`, and not
    /// their final states
    #[arg(long)]
    pub last_step: bool,
    /// The epsilon of BatchNorm1d and LayerNorm [default: 1e-5]
    #[arg(long)]
    pub eps: Option<f64>,
}

/// The activations of nn.RNN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Nonlinearity {
    /// PyTorch's default
    Tanh,
    /// max(x, 0)
    Relu,
}

impl From<Nonlinearity> for pytorch::Nonlinearity {
    fn from(nonlinearity: Nonlinearity) -> Self {
        match nonlinearity {
            Nonlinearity::Tanh => Self::Tanh,
            Nonlinearity::Relu => Self::Relu,
        }
    }
}

impl From<PyTorchArgs> for pytorch::Options {
    fn from(args: PyTorchArgs) -> Self {
        Self {
            prefix: args.prefix,
            without: args.without,
            modules: args.modules,
            roles: args.roles,
            activations: args.activation,
            initial: args.initial,
            nonlinearity: args.nonlinearity.map(Into::into),
            return_sequences: args.return_sequences,
            last_step: args.last_step,
            eps: args.eps,
        }
    }
}

/// Parses `MODULE=ROLE`.
fn role(text: &str) -> Result<(String, pytorch::WeightRole), String> {
    let (module, role) = pair(text)?;
    let role = match role {
        "embedding" => pytorch::WeightRole::Embedding,
        "linear" => pytorch::WeightRole::Linear,
        _ => return Err("expected the role embedding or linear".to_owned()),
    };
    Ok((module, role))
}

/// Parses `MODULE=FUNCTION`.
fn activation(text: &str) -> Result<(String, Activation), String> {
    let (module, name) = pair(text)?;
    let activation = Activation::parsed(name).map_err(|error| error.to_string())?;
    Ok((module, activation))
}

/// Parses `MODULE=H` or `MODULE=H:C`.
fn initial(text: &str) -> Result<(String, Vec<String>), String> {
    let (module, states) = pair(text)?;
    Ok((module, states.split(':').map(str::to_owned).collect()))
}

fn pair(text: &str) -> Result<(String, &str), String> {
    let (module, value) = text.split_once('=').ok_or("expected MODULE=VALUE")?;
    Ok((module.to_owned(), value))
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    args.overwrite.check(&args.output, [&*args.file])?;
    let place = || args.file.display().to_string();
    let pytorch = PyTorch { options: args.pytorch.clone().into() };
    // Without `..`: the flags of a further importer belong here.
    let importers = Importers { keras: Keras, onnx: args.onnx.clone().into(), pytorch };
    let mut imported = importers.read(&args.file).with_context(place)?;
    if let Some(name) = &args.name {
        imported.meta.name.clone_from(name);
    }
    let bytes = match args.weights {
        WeightDtype::F32 => imported.write::<F32>(),
        WeightDtype::F16 => imported.write::<F16>(),
    };
    let bytes = bytes.with_context(place)?;
    write_atomically(&args.output, |file| file.write_all(&bytes))?;
    // Names come from the file.
    for note in &imported.notes {
        super::print_line(&note.escape_debug().to_string())?;
    }
    super::print_line(&format!("Output: {}", imported.output().escape_debug()))?;
    super::print_line(&format!(
        "Wrote {}: {} bytes, from {} imported layers; `ernn inspect` shows the layers of the model",
        args.output.display(),
        bytes.len(),
        imported.network.layers.len()
    ))
}
