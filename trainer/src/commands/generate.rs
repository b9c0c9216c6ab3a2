//! `ernn generate`: autoregressive generation, in which each output is the next input.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::sampling::sample;
use crate::vocabulary::Vocabulary;
use embedded_rnn_nn::data::{Input, InputKind};
use embedded_rnn_nn::evaluate::NonFinite;
use embedded_rnn_nn::initializers::{Purpose, stream_of};
use embedded_rnn_nn::loss::argmax;
use embedded_rnn_pack::session::Session;

const HELP: &str = "\
The model is an encoder-decoder, or its outputs are the classes of its input ids. Each class that it
generates is its next input, until it generates the end (class 0, or --end) or --steps classes. The
classes are printed by their labels, single characters without spaces between them, or by their
numbers if the model has no labels.

Example: names from nationalities, with download and training
  cargo xtask data name2nat
  ernn train trainer/examples/name2nat/name2nat.toml
  ernn generate out/name2nat/model.i8.ernn --start Japanese --count 5
  ernn generate out/name2nat/model.i8.ernn --start German,s,c,h --temperature 0.5 --seed 7

Example: an encoder-decoder, from one source (its ids have no labels) or an array of sources
  ernn generate out/cmudict/model.ernn --start 8,5,12,12,15 --temperature 0    # hello: HH EH L OW
  ernn generate out/cmudict/model.ernn --input x.npy --temperature 0";

/// Generate sequences: each output of the model is its next input
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Model file (f32, f16 or i8)
    pub model: PathBuf,
    /// The beginnings or the sources.
    #[command(flatten)]
    pub start: Start,
    /// Lengths of the sequences in --input, `[n]`; the time steps after them are padding
    #[arg(long, value_name = "L.npy", conflicts_with = "start")]
    pub lengths: Option<PathBuf>,
    /// Number of sequences to generate from each beginning or source
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..),
        allow_negative_numbers = true)]
    pub count: u64,
    /// Limit of the classes per sequence
    #[arg(long, value_name = "MAX", default_value_t = super::DEFAULT_STEPS,
        value_parser = super::steps_parser(), allow_negative_numbers = true)]
    pub steps: u32,
    /// Label or id of the class that ends a sequence; it is not printed [default: class 0]
    #[arg(long, value_name = "LABEL", conflicts_with = "no_end")]
    pub end: Option<String>,
    /// No class ends a sequence: generate --steps classes
    #[arg(long)]
    pub no_end: bool,
    /// Sample classes by their probabilities to the power 1/T; 0 selects the most probable class
    #[arg(long, value_name = "T", default_value_t = 1.0, value_parser = temperature,
        allow_negative_numbers = true)]
    pub temperature: f64,
    /// Seed of the sampling
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
    /// Print one JSON object per line: ids, text, and ended (false if --steps ended the sequence)
    #[arg(long)]
    pub json: bool,
}

/// The beginning of the sequence to generate, or the source of an encoder-decoder.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub struct Start {
    /// The source of an encoder-decoder, or the beginning of the sequence: labels or ids, separated by spaces
    /// or commas
    #[arg(long, value_name = "LABELS")]
    pub start: Option<String>,
    /// Several sources or beginnings: [n, time] of ids, or [n, time, features] for an encoder of features
    #[arg(long, value_name = "X.npy")]
    pub input: Option<PathBuf>,
}

fn temperature(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(temperature) if temperature >= 0.0 => Ok(temperature),
        _ => Err("expected a number of at least 0".to_owned()),
    }
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let place = || args.model.display().to_string();
    let model = Session::read(&args.model)?;
    let generator = Generator::new(&model, args).with_context(place)?;
    let mut non_finite = NonFinite::default();
    for (s, start) in starts(&model, args)?.iter().enumerate() {
        for k in 0..args.count {
            let mut rng = stream_of(args.seed, Purpose::Sample, k, s as u64);
            let (generated, found) = generator.generate(start, &mut rng).with_context(place)?;
            non_finite = non_finite.plus(found);
            let line = if args.json { serde_json::to_string(&generated)? } else { generated.text };
            // The lines are all that the command is for.
            if !super::print_for_reader(&line)? {
                return Ok(());
            }
        }
    }
    if let Some(complaint) = non_finite.complaint() {
        super::warn(&format!("{}: {complaint}", place()));
    }
    Ok(())
}

/// Returns the beginnings or sources: that of `--start`, or all of `--input`.
fn starts(model: &Session, args: &Args) -> Result<Vec<Vec<f32>>> {
    if let Some(path) = &args.start.input {
        let sequences = Input::read(path, args.lengths.as_deref(), model.input_kind())?.sequences;
        return Ok((0..sequences.len()).map(|s| sequences.get(s).to_vec()).collect());
    }
    let ids = start_ids(model, args.start.start.as_deref().unwrap_or_default());
    let ids = ids.context("--start").with_context(|| args.model.display().to_string())?;
    Ok(vec![ids.into_iter().map(|id| id as f32).collect()])
}

/// Returns the ids in `text`. Labels are the names of the outputs: the sources of an encoder-decoder have
/// none.
fn start_ids(model: &Session, text: &str) -> Result<Vec<usize>> {
    let InputKind::Ids(ids) = model.input_kind() else {
        bail!("the inputs are {} features per time step, not ids: use --input", model.input_size())
    };
    let labels = if model.has_decoder() { Vec::new() } else { model.labels() };
    Vocabulary::new(ids, labels).ids(text)
}

/// A model and the options of generation.
struct Generator<'a> {
    model: &'a Session,
    vocabulary: Vocabulary,
    end: Option<usize>,
    steps: usize,
    temperature: f64,
}

/// A generated sequence.
#[derive(Serialize)]
struct Generated {
    ids: Vec<usize>,
    text: String,
    /// `true` if the model generated the end, `false` if `--steps` ended the sequence.
    ended: bool,
}

impl<'a> Generator<'a> {
    fn new(model: &'a Session, args: &Args) -> Result<Self> {
        model.check_generates()?;
        ensure!(
            args.temperature == 0.0 || model.outputs_probabilities(),
            "--temperature: the outputs are no probabilities: only --temperature 0 is possible"
        );
        let vocabulary = Vocabulary::new(model.output_size(), model.labels());
        let end = match &args.end {
            Some(name) => Some(vocabulary.id(name).context("--end")?),
            None => (!args.no_end).then_some(0),
        };
        Ok(Self { model, vocabulary, end, steps: args.steps as usize, temperature: args.temperature })
    }

    /// Generates a sequence, and counts the outputs that are not finite.
    fn generate(&self, start: &[f32], rng: &mut ChaCha8Rng) -> Result<(Generated, NonFinite)> {
        let (mut ids, mut ended) = (Vec::new(), false);
        let mut non_finite = NonFinite::default();
        self.model.generate(start, |output| {
            non_finite = non_finite.plus(NonFinite::of(output));
            let class = self.choose(output, rng);
            ended = self.end == Some(class);
            if !ended {
                ids.push(class);
            }
            (!ended && ids.len() < self.steps).then_some(class as u16)
        })?;
        Ok((Generated { text: self.vocabulary.text(&ids), ids, ended }, non_finite))
    }

    fn choose(&self, output: &[f32], rng: &mut ChaCha8Rng) -> usize {
        if self.temperature == 0.0 { argmax(output) } else { sample(output, self.temperature, rng) }
    }
}
