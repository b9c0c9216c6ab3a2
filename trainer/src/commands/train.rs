//! `ernn train`: from a config and its data to a packed model.

mod progress;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::config::Config;
use crate::data::{Data, Dataset};
use crate::deployed::ModelFile;
use crate::evaluate::Evaluation;
use crate::output::{remove_leftovers, write_atomically};
use crate::pack::{self, ErrorTable, LayerError, Quantized};
use crate::report::{ModelFacts, Report};
use crate::training::{Checkpoint, Epoch, Identity, Run, batches, csv, validate};

use progress::Progress;

/// Train a network, report on it, and write it as f32 and 8-bit models
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  ernn train trainer/examples/digits/digits.toml --out out/digits --seed 1 --resume"
)]
pub struct Args {
    /// What to train, on which data, and how
    pub config: PathBuf,
    /// Where the results go [default: out/NAME, with the name that the config gives]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Everything random follows from this number
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Go on where a run that was stopped had got to
    #[arg(long)]
    pub resume: bool,
}

/// What is trained on what, and where the results go.
struct Job {
    config: Config,
    train: Dataset,
    validation: Dataset,
    path: PathBuf,
    out: PathBuf,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let job = Job::open(args)?;
    let mut run = Run::new(job.config.network(&job.train, args.seed), args.seed);
    let identity = Identity::new(&job.config, &job.train, args.seed);
    if args.resume {
        job.resume(&mut run, &identity)?;
    }
    job.introduce(&run)?;
    job.train(&mut run, &identity)?;
    job.finish(&run)
}

impl Job {
    fn open(args: &Args) -> Result<Self> {
        let config = Config::read(&args.config)?;
        let path = args.config.parent().unwrap_or(Path::new("")).join(&config.data.file);
        let data = Data::read(&path)?;
        let (train, validation) = match data.test {
            Some(test) => (data.train, test),
            None => {
                split(data.train, config.data.validation_split).with_context(|| path.display().to_string())?
            }
        };
        for data in [&train, &validation] {
            config.check_data(data).with_context(|| path.display().to_string())?;
        }
        let out = args.out.clone().unwrap_or_else(|| Path::new("out").join(&config.name));
        let job = Self { config, train, validation, path: args.config.clone(), out };
        let place = || job.out.display().to_string();
        std::fs::create_dir_all(&job.out).with_context(place)?;
        remove_leftovers(&job.checkpoint()).with_context(place)?;
        Ok(job)
    }

    fn checkpoint(&self) -> PathBuf {
        self.out.join("checkpoint.postcard")
    }

    fn resume(&self, run: &mut Run, identity: &Identity) -> Result<()> {
        let path = self.checkpoint();
        let Some(checkpoint) = Checkpoint::read(&path)? else {
            return super::say(&format!(
                "Nothing to resume in {}: starting from the beginning",
                self.out.display()
            ));
        };
        checkpoint
            .restore(run, identity, self.config.training.epochs)
            .with_context(|| path.display().to_string())?;
        super::say(&format!("Resuming after epoch {}", run.history.len()))
    }

    fn introduce(&self, run: &Run) -> Result<()> {
        super::say(&format!(
            "{}: {} parameters, {} sequences to train on, {} to validate on",
            self.config.name,
            parameters(run),
            self.train.sequences.len(),
            self.validation.sequences.len()
        ))
    }

    fn train(&self, run: &mut Run, identity: &Identity) -> Result<()> {
        let training = &self.config.training;
        while run.history.len() < training.epochs {
            let number = run.history.len() + 1;
            let progress = Progress::start(number, training.epochs, batches(&self.train, training));
            let score = run.epoch(training, &self.train, &|| progress.advance());
            let epoch = Epoch::new(score, validate(&run.network, &self.validation));
            let seconds = progress.finish();
            ensure!(
                epoch.loss.is_finite() && epoch.val_loss.is_finite(),
                "training: epoch {number}: the loss is {}: lower learning_rate or set global_clipnorm",
                epoch.loss
            );
            run.history.push(epoch);
            Checkpoint::of(run, identity).write(&self.checkpoint())?;
            super::say(&format!(
                "Epoch {number}/{}  {}  {seconds:.1}s",
                training.epochs,
                epoch.line(training.loss)
            ))?;
        }
        Ok(())
    }

    /// Writes what the run is for.
    fn finish(&self, run: &Run) -> Result<()> {
        let (model, quantized) = self.pack(run)?;
        let models = [self.evaluate("model.ernn", model)?, self.evaluate("model.i8.ernn", quantized.bytes)?];
        super::say(&format!("Error of the 8-bit model, layer by layer\n{}", ErrorTable(&quantized.errors)))?;
        let csv = csv(&run.history, self.config.training.loss);
        for Model { name, file, .. } in &models {
            self.write(name, file.bytes())?;
        }
        self.write("history.csv", csv.as_bytes())?;
        self.write("report.html", self.report(run, &models, &quantized.errors)?.as_bytes())?;
        for Model { name, evaluation, .. } in &models {
            super::say(&format!("{name}: {}", evaluation.headline()))?;
        }
        Ok(())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.out.join(name);
        write_atomically(&path, |file| file.write_all(bytes))?;
        super::say(&format!("Wrote {}, {} bytes", path.display(), bytes.len()))
    }

    /// The f32 model file, and the 8-bit one.
    fn pack(&self, run: &Run) -> Result<(Vec<u8>, Quantized)> {
        let meta = pack::Meta { name: self.config.name.clone(), ..pack::Meta::default() };
        let calibration = pack::sample(&self.train.sequences);
        let model = pack::write_f32(&run.network, &meta, calibration[0])?;
        Ok((model, pack::quantize(&run.network, &meta, &calibration)?))
    }

    /// Runs a model file over the validation data, as its user will.
    fn evaluate(&self, name: &'static str, bytes: Vec<u8>) -> Result<Model> {
        let file = ModelFile::new(&self.out.join(name), &bytes);
        let evaluation = file.deploy()?.evaluate(&self.validation)?;
        Ok(Model { name, file, evaluation })
    }

    fn report(&self, run: &Run, models: &[Model], errors: &[LayerError]) -> Result<String> {
        let config = std::fs::read_to_string(&self.path).with_context(|| self.path.display().to_string())?;
        let facts = [
            ("seed", run.seed.to_string()),
            ("parameters", parameters(run).to_string()),
            ("sequences to train on", self.train.sequences.len().to_string()),
            ("sequences to validate on", self.validation.sequences.len().to_string()),
            ("epochs", run.history.len().to_string()),
            ("made by", concat!("ernn ", env!("CARGO_PKG_VERSION")).to_owned()),
        ];
        let models: Vec<ModelFacts<'_>> = models
            .iter()
            .map(|Model { name, file, evaluation }| ModelFacts {
                name,
                bytes: file.bytes().len(),
                evaluation,
            })
            .collect();
        let (name, history) = (&self.config.name, &run.history);
        Report { name, facts: &facts, config: &config, history, models: &models, errors }.html()
    }
}

/// A model file and how it does on the validation data.
struct Model {
    name: &'static str,
    file: ModelFile,
    evaluation: Evaluation,
}

fn parameters(run: &Run) -> usize {
    run.network.parameters().iter().map(|parameter| parameter.len()).sum()
}

/// The last `share` of the sequences for validation.
fn split(data: Dataset, share: f64) -> Result<(Dataset, Dataset)> {
    let count = data.sequences.len();
    let held = (count as f64 * share).ceil() as usize;
    ensure!(held < count, "x: {count} sequences are too few to take {share} of them for validation");
    Ok(data.split_at(count - held))
}
