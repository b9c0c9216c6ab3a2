//! One run: a network that is trained, its data, and the output directory.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use serde_json::json;

use embedded_rnn_nn::config::Config;
use embedded_rnn_nn::data::Dataset;
use embedded_rnn_nn::forecast::Forecast;
use embedded_rnn_nn::output::{FolderLock, remove_leftovers};
use embedded_rnn_nn::training::{
    Checkpoint, Epoch, Identity, Parts, Run, Watch, batches, check_network, validate,
};
use embedded_rnn_pack::{check_packable, check_quantizable, sample};

use super::lines::Lines;
use super::progress::Progress;
use super::repeat::Plan;
use super::{interrupt, results};
use crate::commands::{warn, warn_of_spacing};

const CHECKPOINT: &str = "checkpoint.postcard";

/// A network to be trained, its data, and the output directory.
pub struct Job {
    /// The path of the config.
    path: PathBuf,
    pub config: Config,
    pub parts: Parts,
    /// The inputs that the i8 model is calibrated on: some of the training part of the file before the split.
    pub calibration: Vec<Vec<f32>>,
    /// What was understood of the training part of the file.
    description: String,
    /// `true` if the validation part is split off the training part of the file.
    pub is_split: bool,
    /// The naive forecasts, if the network is a forecast.
    pub forecast: Option<Forecast>,
    /// The text of the config.
    pub text: String,
    pub out: PathBuf,
    pub lines: Lines,
    seed: u64,
    /// Keeps other runs out of the output directory.
    _lock: FolderLock,
}

/// The epochs and the time of this run, without the run that it resumed.
pub struct Spent {
    pub epochs: usize,
    pub seconds: f64,
}

impl Job {
    pub fn open(path: &Path, out: &Path, plan: &Plan, lines: Lines) -> Result<Self> {
        let mut config = Config::read(path)?;
        let place = || path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(place)?;
        let (data, forecast) = config.read_data(path)?;
        if config.data.labels.is_none() && !data.labels.is_empty() {
            config.data.labels = Some(data.labels.clone());
            config.check().with_context(|| config.data_file(path).display().to_string())?;
        }
        let is_split = data.validation.is_none();
        let description = data.train.describe();
        if let Some(suspicion) = data.train.transposed() {
            warn(&format!("{}: {suspicion}", config.data_file(path).display()));
        }
        let calibration = sample(&data.train.sequences).into_iter().map(<[f32]>::to_vec).collect();
        let parts = match plan.fold {
            Some(fold) => Parts::fold(data, &config, fold, plan.seed),
            None => Parts::new(data, &config, plan.seed),
        };
        let parts = parts.with_context(|| config.data_file(path).display().to_string())?;
        config.check_size(parts.train.sequences.features).with_context(place)?;
        config.training.check_monitored(parts.validation.is_some()).with_context(place)?;
        let _lock = open_folder(out)?;
        let (path, out, seed) = (path.to_owned(), out.to_owned(), plan.seed);
        Ok(Self {
            path,
            config,
            parts,
            calibration,
            description,
            is_split,
            forecast,
            text,
            out,
            lines,
            seed,
            _lock,
        })
    }

    /// Trains the network and writes all files. Returns the scores of the models.
    pub fn run(&mut self, resume: bool) -> Result<Vec<(String, f64)>> {
        let place = self.path.display().to_string();
        let network = self.config.network(&self.parts.train, self.seed);
        let fits = check_packable(&network).and_then(|()| check_quantizable(&network));
        fits.with_context(|| place.clone())?;
        let mut run = Run::new(network, self.seed);
        let identity = Identity::new(&self.config, &self.parts, self.seed);
        if resume {
            self.resume(&mut run, &identity)?;
        }
        run.check_finite().with_context(|| place.clone())?;
        self.introduce(&run)?;
        let (before, start) = (run.history.len(), Instant::now());
        self.train(&mut run, &identity)?;
        let spent = Spent { epochs: run.history.len() - before, seconds: start.elapsed().as_secs_f64() };
        self.finish(&mut run)?;
        results::write(self, &run, &spent)
    }

    fn checkpoint(&self) -> PathBuf {
        self.out.join(CHECKPOINT)
    }

    fn resume(&self, run: &mut Run, identity: &Identity) -> Result<()> {
        let path = self.checkpoint();
        let Some(checkpoint) = Checkpoint::read(&path)? else {
            return self
                .lines
                .text(&format!("No checkpoint in {}: training from the first epoch", self.out.display()));
        };
        checkpoint
            .restore(run, identity, self.config.training.epochs)
            .with_context(|| path.display().to_string())?;
        self.lines.text(&format!("Resuming after epoch {}", run.history.len()))
    }

    fn introduce(&self, run: &Run) -> Result<()> {
        warn_of_spacing(self.forecast.as_ref(), &self.config.data_file(&self.path));
        let Parts { train, validation, test } = &self.parts;
        let parameters = parameters(run);
        let counts = [Some(train), validation.as_ref(), test.as_ref()]
            .map(|part| part.map_or(0, |part| part.sequences.len()));
        let [training, validation, test] = counts;
        self.lines.object(&json!({
            "event": "start", "name": self.config.name, "data": self.description, "seed": self.seed,
            "parameters": parameters, "training": training, "validation": validation, "test": test,
            "epochs_done": run.history.len(),
        }))?;
        self.lines.text(&format!("{}: {}", self.config.data_file(&self.path).display(), self.description))?;
        self.lines.text(&format!(
            "{}: {parameters} parameters, {training} training sequences, {validation} validation sequences, \
             {test} test sequences",
            self.config.name
        ))
    }

    /// Returns the data that the trained network is scored on, with the name of its part.
    pub fn scored(&self) -> (&'static str, &Dataset) {
        let Parts { train, validation, test } = &self.parts;
        let test = test.as_ref().map(|data| ("test", data));
        test.or(validation.as_ref().map(|data| ("validation", data))).unwrap_or(("training", train))
    }

    fn train(&self, run: &mut Run, identity: &Identity) -> Result<()> {
        let training = &self.config.training;
        let objective = training.objective();
        let (epochs, per_epoch) = (training.epochs, batches(&self.parts.train, training));
        let mut progress = Progress::start(epochs, per_epoch, run.history.len());
        if self.lines == Lines::Quiet {
            progress.hide();
        }
        while !run.is_over(training) && !interrupt::requested() {
            let number = run.history.len() + 1;
            progress.start_epoch(number);
            let trained = run.epoch(training, &self.parts.train, &|| {
                progress.advance();
                Ok(())
            });
            let validation = self.parts.validation.as_ref();
            let epoch = trained.map(|trained| {
                Epoch::new(trained, validation.map(|data| validate(&run.network, &objective, data)))
            });
            let epoch = epoch
                .and_then(|epoch| epoch.check_finite(training.loss).map(|()| epoch))
                .map_err(|error| self.diverged(number, &error))?;
            run.complete(training, epoch);
            Checkpoint::of(run, identity).write(&self.checkpoint())?;
            let seconds = progress.seconds();
            progress.show(epoch.line(training.loss), || self.print_epoch(number, &epoch, seconds))?;
        }
        Ok(())
    }

    fn print_epoch(&self, number: usize, epoch: &Epoch, seconds: f64) -> Result<()> {
        let training = &self.config.training;
        let mut object = json!({
            "event": "epoch", "epoch": number, "epochs": training.epochs, "seconds": seconds,
            "learning_rate": epoch.learning_rate, "gradient_norm": epoch.gradient_norm,
        });
        epoch.scores(training.loss).into_iter().for_each(|(name, value)| object[name] = json!(value));
        self.lines.object(&object)?;
        let (line, rate, norm) = (epoch.line(training.loss), epoch.learning_rate, epoch.gradient_norm);
        self.lines.text(&format!(
            "Epoch {number}/{}  {line} - learning_rate: {rate:.2e} - gradient_norm: {norm:.4}  {seconds:.1}s",
            training.epochs
        ))
    }

    /// Returns the error of an epoch with a number that is not finite.
    fn diverged(&self, epoch: usize, error: &anyhow::Error) -> anyhow::Error {
        let path = self.path.display();
        anyhow!("{path}: training: epoch {epoch}: {error:#}: decrease learning_rate or set global_clipnorm")
    }

    /// Takes the weights of the best epoch, if the config asks for them, and converts a forecast to the unit
    /// of the series.
    fn finish(&mut self, run: &mut Run) -> Result<()> {
        if interrupt::requested() {
            self.lines.text(&format!("Interrupted after epoch {}", run.history.len()))?;
        }
        run.restore_best()?;
        if let Some(watch) = run.watch(&self.config.training) {
            self.lines.text(&describe(&watch, run))?;
        }
        let Some(forecast) = &self.forecast else { return Ok(()) };
        self.parts.test = Some(forecast.test.clone());
        forecast.fold(&mut run.network)?;
        check_network(&run.network).with_context(|| self.path.display().to_string())
    }
}

/// Describes the end of a run with early stopping, and the epoch whose weights are those of the model.
pub fn describe(watch: &Watch, run: &Run) -> String {
    let Watch { monitor, best_epoch, best, stopped } = watch;
    let end = match stopped {
        Some(epoch) => format!("Stopped after epoch {epoch}, as {monitor} no longer improved; "),
        None => String::new(),
    };
    let last = run.history.len();
    let taken = run.best.as_ref().map_or(last, |best| best.epoch);
    format!("{end}best {monitor}: {best:.4} after epoch {best_epoch}; weights taken: those of epoch {taken}")
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

/// Returns the number of trained parameters.
pub fn parameters(run: &Run) -> usize {
    run.network.parameters().iter().map(|parameter| parameter.len()).sum()
}
