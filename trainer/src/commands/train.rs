//! `ernn train`: trains the network of a config on its data and writes the model files.

mod facts;
mod interrupt;
mod job;
mod lines;
mod progress;
mod repeat;
mod results;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use embedded_rnn_nn::config::Config;

use job::Job;
use lines::Lines;
use repeat::Outcome;

const HELP: &str = "\
Files in the output directory: model.ernn (f32), model.i8.ernn (i8), report.html, history.csv (loss
and metric per epoch), checkpoint.postcard (for --resume). With --seeds or --folds, each run has a
folder of its own there, and summary.csv their scores.

`ernn init DATA` writes a config that fits a data set, and `ernn init --keys` prints every key with its
default, unit and meaning (docs/config.md).

Ctrl-C ends the training after the current epoch and writes all files; a second one ends it at once.

Examples:
  ernn train trainer/examples/digits/digits.toml --out out/digits --seed 1 --resume
  ernn train trainer/examples/digits8x8/digits8x8.toml --seeds 5 --quiet
  ernn train trainer/examples/digits8x8/digits8x8.toml --folds 5";

/// Train a network and write it as f32 and i8 models, with a report
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Config (.toml): data, layers and training
    pub config: PathBuf,
    /// Output directory [default: out/NAME, with the name in the config]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Seed of everything random: initial weights, validation split, order of the sequences, dropout
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
    /// Train with so many seeds, from --seed on, and print mean and spread of the test scores
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub seeds: Option<u64>,
    /// Cross-validate: train so many times, each time with another part of the training data held back for
    /// validation, and print mean and spread of the validation scores; the test data is not used
    #[arg(long, value_name = "COUNT", conflicts_with = "seeds", value_parser = at_least_two)]
    pub folds: Option<usize>,
    /// Continue an interrupted run from its last epoch
    #[arg(long)]
    pub resume: bool,
    /// Print nothing but warnings and errors
    #[arg(long, short)]
    pub quiet: bool,
    /// Print a JSON object per line
    #[arg(long, conflicts_with = "quiet")]
    pub json: bool,
}

/// Parses the number of folds.
fn at_least_two(text: &str) -> Result<usize> {
    match text.parse()? {
        0 | 1 => bail!("a cross-validation has at least 2 folds"),
        folds => Ok(folds),
    }
}

impl Args {
    fn lines(&self) -> Lines {
        match (self.quiet, self.json) {
            (true, _) => Lines::Quiet,
            (_, true) => Lines::Json,
            _ => Lines::Text,
        }
    }
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let name = Config::read(&args.config)?.name;
    let out = args.out.clone().unwrap_or_else(|| Path::new("out").join(name));
    let lines = args.lines();
    interrupt::install()?;
    let mut outcomes = Vec::new();
    for plan in repeat::plans(args.seed, args.seeds, args.folds) {
        if interrupt::requested() {
            break;
        }
        let own = if plan.name.is_empty() { out.clone() } else { out.join(&plan.name) };
        if own != out {
            lines.text(&format!("Run {}", plan.name))?;
        }
        let mut job = Job::open(&args.config, &own, &plan, lines)?;
        let scores = job.run(args.resume)?;
        outcomes.push(Outcome { run: plan.name, scores });
    }
    match (args.seeds, args.folds) {
        (None, None) => Ok(()),
        _ => repeat::summarize(&outcomes, &out, lines),
    }
}
