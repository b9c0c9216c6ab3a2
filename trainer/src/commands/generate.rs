//! `ernn generate`: what a model writes by itself, its answers being its next inputs.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::sampling::sample;
use crate::vocabulary::Vocabulary;
use embedded_rnn_nn::data::{Input, InputKind};
use embedded_rnn_nn::initializers::{Purpose, stream_of};
use embedded_rnn_nn::loss::argmax;
use embedded_rnn_pack::session::Session;

const HELP: &str = "\
A model can write if its answers are its next inputs: one that takes ids and gives a class of the same ones, or an encoder with a
decoder. It writes until the end, class 0 unless --end says otherwise, and at most --steps classes. Labels of single characters are
printed beside each other, others with spaces between; where the model names no classes, their numbers.

Names from nationalities, from the beginning:
  cargo xtask data name2nat
  ernn train trainer/examples/name2nat/name2nat.toml
  ernn generate out/name2nat/model.i8.ernn --start Japanese --count 5
  ernn generate out/name2nat/model.i8.ernn --start German,s,c,h --temperature 0.5 --seed 7

An encoder-decoder takes a source, whose ids have no labels, or an array of them:
  ernn generate out/cmudict/model.ernn --start 8,5,12,12,15 --temperature 0    # hello: HH EH L OW
  ernn generate out/cmudict/model.ernn --input x.npy --temperature 0";

/// Let a model write: feed its answers back to it
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// The model, f32 or 8-bit
    pub model: PathBuf,
    /// What it is given first
    #[command(flatten)]
    pub given: Given,
    /// How many steps of each sequence count, `[n]`
    #[arg(long, value_name = "L.npy", conflicts_with = "start")]
    pub lengths: Option<PathBuf>,
    /// How many sequences to write from each
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..),
        allow_negative_numbers = true)]
    pub count: u64,
    /// The most that is written for a sequence
    #[arg(long, value_name = "MOST", default_value_t = super::STEPS, value_parser = super::steps(), allow_negative_numbers = true)]
    pub steps: u32,
    /// The label or id that ends a sequence and is not written [default: class 0]
    #[arg(long, value_name = "LABEL", conflicts_with = "no_end")]
    pub end: Option<String>,
    /// No class ends a sequence: --steps are written
    #[arg(long)]
    pub no_end: bool,
    /// Classes are drawn by their probabilities to the power 1/T; 0 takes the likeliest
    #[arg(long, value_name = "T", default_value_t = 1.0, value_parser = temperature, allow_negative_numbers = true)]
    pub temperature: f64,
    /// What is drawn follows from this number
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
    /// Print a JSON object a line: ids, text, and whether it ended by itself
    #[arg(long)]
    pub json: bool,
}

/// What a model is given first: one of these.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub struct Given {
    /// What it is given first, a label or an id, or several with spaces or commas between: of an encoder-decoder the source,
    /// else what it goes on from
    #[arg(long, value_name = "LABELS")]
    pub start: Option<String>,
    /// The same for many sequences: [n, time] of ids, or what else an encoder takes, as `predict` reads it
    #[arg(long, value_name = "X.npy")]
    pub input: Option<PathBuf>,
}

fn temperature(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(temperature) if temperature >= 0.0 => Ok(temperature),
        _ => Err("not a number from 0 on".to_owned()),
    }
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let place = || args.model.display().to_string();
    let model = Session::read(&args.model)?;
    let writer = Writer::new(&model, args).with_context(place)?;
    for (s, given) in given(&model, args)?.iter().enumerate() {
        for k in 0..args.count {
            let mut rng = stream_of(args.seed, Purpose::Sample, k, s as u64);
            let written = writer.write(given, &mut rng).with_context(place)?;
            super::say(&if args.json { serde_json::to_string(&written)? } else { written.text })?;
        }
    }
    Ok(())
}

/// What the model is given, once or for each sequence of an array.
fn given(model: &Session, args: &Args) -> Result<Vec<Vec<f32>>> {
    if let Some(path) = &args.given.input {
        let sequences = Input::read(path, args.lengths.as_deref(), model.input_kind())?.sequences;
        return Ok((0..sequences.len()).map(|s| sequences.get(s).to_vec()).collect());
    }
    let ids = started(model, args.given.start.as_deref().unwrap_or_default());
    let ids = ids.context("--start").with_context(|| args.model.display().to_string())?;
    Ok(vec![ids.into_iter().map(|id| id as f32).collect()])
}

/// The ids that `text` names. Labels name what a model writes, so that the sources of an encoder-decoder have none.
fn started(model: &Session, text: &str) -> Result<Vec<usize>> {
    let InputKind::Ids(ids) = model.input_kind() else {
        bail!("the encoder takes {} features a step and no ids: give --input", model.input_size())
    };
    let labels = if model.has_decoder() { Vec::new() } else { model.labels() };
    Vocabulary::new(ids, labels).ids(text)
}

/// A model that writes, and how it is to.
struct Writer<'a> {
    model: &'a Session,
    vocabulary: Vocabulary,
    end: Option<usize>,
    steps: usize,
    temperature: f64,
}

/// What was written.
#[derive(Serialize)]
struct Written {
    ids: Vec<usize>,
    text: String,
    /// Whether the end came, and not the most steps.
    ended: bool,
}

impl<'a> Writer<'a> {
    fn new(model: &'a Session, args: &Args) -> Result<Self> {
        model.check_generates()?;
        ensure!(
            args.temperature == 0.0 || model.outputs_probabilities(),
            "--temperature: its answers are no probabilities to draw from; 0 takes the largest"
        );
        let vocabulary = Vocabulary::new(model.output_size(), model.labels());
        let end = match &args.end {
            Some(name) => Some(vocabulary.id(name).context("--end")?),
            None => (!args.no_end).then_some(0),
        };
        Ok(Self { model, vocabulary, end, steps: args.steps as usize, temperature: args.temperature })
    }

    fn write(&self, given: &[f32], rng: &mut ChaCha8Rng) -> Result<Written> {
        let (mut ids, mut ended) = (Vec::new(), false);
        self.model.generate(given, |answer| {
            let class = self.choose(answer, rng);
            ended = self.end == Some(class);
            if !ended {
                ids.push(class);
            }
            (!ended && ids.len() < self.steps).then_some(class as u16)
        })?;
        Ok(Written { text: self.vocabulary.text(&ids), ids, ended })
    }

    fn choose(&self, answer: &[f32], rng: &mut ChaCha8Rng) -> usize {
        if self.temperature == 0.0 { argmax(answer) } else { sample(answer, self.temperature, rng) }
    }
}
