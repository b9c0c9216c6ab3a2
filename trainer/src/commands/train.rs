//! `ernn train`: trains the network of a config on its data and writes the model files.

mod facts;
mod progress;
mod results;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, anyhow};

use embedded_rnn_nn::config::Config;
use embedded_rnn_nn::data::Dataset;
use embedded_rnn_nn::forecast::Forecast;
use embedded_rnn_nn::output::{FolderLock, remove_leftovers};
use embedded_rnn_nn::training::{Checkpoint, Epoch, Identity, Parts, Run, batches, check_network, validate};
use embedded_rnn_pack::{check_packable, check_quantizable, sample};

use progress::Progress;

const HELP: &str = "\
Files in the output directory: model.ernn (f32), model.i8.ernn (i8), report.html, history.csv (loss
and metric per epoch), checkpoint.postcard (for --resume).

Example:
  ernn train trainer/examples/digits/digits.toml --out out/digits --seed 1 --resume";

/// Train a network and write it as f32 and i8 models, with a report
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Config (.toml): data, layers and training
    pub config: PathBuf,
    /// Output directory [default: out/NAME, with the name in the config]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Seed of everything random: initial weights, order of the sequences, dropout
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
    /// Continue an interrupted run from its last epoch
    #[arg(long)]
    pub resume: bool,
}

const CHECKPOINT: &str = "checkpoint.postcard";

/// A network to be trained, its data, and the output directory.
struct Job {
    /// The path of the config.
    path: PathBuf,
    config: Config,
    parts: Parts,
    /// The inputs that the i8 model is calibrated on: some of the training part of the file before the split.
    calibration: Vec<Vec<f32>>,
    /// `true` if the validation part is split off the training part of the file.
    is_split: bool,
    /// The naive forecasts, if the network is a forecast.
    forecast: Option<Forecast>,
    /// The text of the config.
    text: String,
    out: PathBuf,
    /// Keeps other runs out of the output directory.
    _lock: FolderLock,
}

/// The epochs and the time of this run, without the run that it resumed.
struct Spent {
    epochs: usize,
    seconds: f64,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let mut job = Job::open(args)?;
    let network = job.config.network(&job.parts.train, args.seed);
    let fits = check_packable(&network).and_then(|()| check_quantizable(&network));
    fits.with_context(|| args.config.display().to_string())?;
    let mut run = Run::new(network, args.seed);
    let identity = Identity::new(&job.config, &job.parts, args.seed);
    if args.resume {
        job.resume(&mut run, &identity)?;
    }
    run.check_finite().with_context(|| args.config.display().to_string())?;
    job.introduce(&run)?;
    let (before, start) = (run.history.len(), Instant::now());
    job.train(&mut run, &identity)?;
    let spent = Spent { epochs: run.history.len() - before, seconds: start.elapsed().as_secs_f64() };
    job.unscale(&mut run)?;
    results::write(&job, &run, &spent)
}

impl Job {
    fn open(args: &Args) -> Result<Self> {
        let config = Config::read(&args.config)?;
        let text =
            std::fs::read_to_string(&args.config).with_context(|| args.config.display().to_string())?;
        let (data, forecast) = config.read_data(&args.config)?;
        let is_split = data.validation.is_none();
        let calibration = sample(&data.train.sequences).into_iter().map(<[f32]>::to_vec).collect();
        let file = config.data_file(&args.config);
        let parts = Parts::new(data, &config, args.seed).with_context(|| file.display().to_string())?;
        let features = parts.train.sequences.features;
        config.check_size(features).with_context(|| args.config.display().to_string())?;
        let out = args.out.clone().unwrap_or_else(|| Path::new("out").join(&config.name));
        let _lock = open_folder(&out)?;
        let path = args.config.clone();
        Ok(Self { path, config, parts, calibration, is_split, forecast, text, out, _lock })
    }

    fn checkpoint(&self) -> PathBuf {
        self.out.join(CHECKPOINT)
    }

    fn resume(&self, run: &mut Run, identity: &Identity) -> Result<()> {
        let path = self.checkpoint();
        let Some(checkpoint) = Checkpoint::read(&path)? else {
            return super::print_line(&format!(
                "No checkpoint in {}: training from the first epoch",
                self.out.display()
            ));
        };
        checkpoint
            .restore(run, identity, self.config.training.epochs)
            .with_context(|| path.display().to_string())?;
        super::print_line(&format!("Resuming after epoch {}", run.history.len()))
    }

    fn introduce(&self, run: &Run) -> Result<()> {
        super::warn_of_spacing(self.forecast.as_ref(), &self.config.data_file(&self.path));
        let Parts { train, validation, test } = &self.parts;
        let mut line = format!("{}: {} parameters", self.config.name, parameters(run));
        for (name, part) in
            [("training", Some(train)), ("validation", validation.as_ref()), ("test", test.as_ref())]
        {
            let count = part.map_or(0, |part| part.sequences.len());
            line += &format!(", {count} {name} sequences");
        }
        super::print_line(&line)
    }

    /// Returns the data that the trained network is scored on, with the name of its part.
    fn scored(&self) -> (&'static str, &Dataset) {
        let Parts { train, validation, test } = &self.parts;
        let test = test.as_ref().map(|data| ("test", data));
        test.or(validation.as_ref().map(|data| ("validation", data))).unwrap_or(("training", train))
    }

    fn train(&self, run: &mut Run, identity: &Identity) -> Result<()> {
        let training = &self.config.training;
        while run.history.len() < training.epochs {
            let number = run.history.len() + 1;
            let progress = Progress::start(number, training.epochs, batches(&self.parts.train, training));
            let trained = run.epoch(training, &self.parts.train, &|| progress.advance());
            let validation = self.parts.validation.as_ref();
            let epoch = trained
                .map(|trained| Epoch::new(trained, validation.map(|data| validate(&run.network, data))));
            let seconds = progress.finish();
            let epoch = epoch
                .and_then(|epoch| epoch.check_finite(training.loss).map(|()| epoch))
                .map_err(|error| self.diverged(number, &error))?;
            run.history.push(epoch);
            Checkpoint::of(run, identity).write(&self.checkpoint())?;
            super::print_line(&format!(
                "Epoch {number}/{}  {}  {seconds:.1}s",
                training.epochs,
                epoch.line(training.loss)
            ))?;
        }
        Ok(())
    }

    /// Returns the error of an epoch with a number that is not finite.
    fn diverged(&self, epoch: usize, error: &anyhow::Error) -> anyhow::Error {
        let path = self.path.display();
        anyhow!("{path}: training: epoch {epoch}: {error:#}: decrease learning_rate or set global_clipnorm")
    }

    /// Converts the network and the test data of a forecast to the unit of the series.
    fn unscale(&mut self, run: &mut Run) -> Result<()> {
        let Some(forecast) = &self.forecast else { return Ok(()) };
        self.parts.test = Some(forecast.test.clone());
        forecast.fold(&mut run.network)?;
        check_network(&run.network).with_context(|| self.path.display().to_string())
    }
}

/// Makes and locks the output directory, and removes what killed runs left there.
fn open_folder(out: &Path) -> Result<FolderLock> {
    let place = || out.display().to_string();
    std::fs::create_dir_all(out).with_context(place)?;
    let lock = FolderLock::acquire(out)?;
    let outputs = [CHECKPOINT, results::FLOAT, results::INTEGER, results::HISTORY, results::REPORT];
    outputs.iter().try_for_each(|name| remove_leftovers(&out.join(name))).with_context(place)?;
    Ok(lock)
}

fn parameters(run: &Run) -> usize {
    run.network.parameters().iter().map(|parameter| parameter.len()).sum()
}
