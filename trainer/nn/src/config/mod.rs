//! `CONFIG.toml`: which data, which layers, and how to train. Names and defaults are Keras's.

mod data;
mod encoder_decoder;
mod forecast;
mod layers;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::data::Dataset;
use crate::initializers::{Purpose, stream};
use crate::layers::{Layer, LayerConfig};
use crate::loss::Loss;
use crate::net::Network;
use crate::optimizer::Clipping;

use layers::{ChainConfig, check_layers, check_size, layer_names, outputs};

/// A whole config.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the network is called.
    pub name: String,
    /// What it is trained on.
    pub data: DataConfig,
    /// Of an encoder-decoder: from the input to the layer whose final state the decoder starts from.
    #[serde(default)]
    pub encoder: Vec<LayerConfig>,
    /// From the input to the output; where there is an encoder, those of the decoder.
    pub layers: Vec<LayerConfig>,
    /// How it is trained.
    pub training: Training,
}

/// What to train on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// An `.npz` file, or a `.csv` file of a series; found from the folder of the config.
    pub file: PathBuf,
    /// Where the file has no test part: the share of the sequences, taken from the end, to test on.
    #[serde(default = "default_validation_split")]
    pub validation_split: f64,
    /// Names of the classes, in the order of their numbers.
    pub labels: Option<Vec<String>>,
    /// Of a series: the date that the test part starts at, `YYYY-MM-DD` or `YYYY-MM`.
    pub split_date: Option<String>,
    /// Of a series: how many values the next one is forecast from.
    pub window: Option<usize>,
    /// Of a series: whether changes from value to value are learnt and forecast, and not the values.
    #[serde(default)]
    pub difference: bool,
}

fn default_validation_split() -> f64 {
    0.2
}

/// How to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// What is made small.
    pub loss: Loss,
    /// How.
    #[serde(default)]
    pub optimizer: Optimizer,
    /// The size of a step.
    #[serde(default = "default_learning_rate")]
    pub learning_rate: f64,
    /// What becomes of it.
    #[serde(default)]
    pub learning_rate_schedule: Schedule,
    /// The largest norm of the gradient of one parameter matrix.
    pub clipnorm: Option<f64>,
    /// The largest norm of all gradients together.
    pub global_clipnorm: Option<f64>,
    /// Sequences an update.
    #[serde(default = "default_batch_size")]
    pub batch_size: usize,
    /// How often all sequences are seen.
    pub epochs: usize,
}

/// How steps are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Optimizer {
    /// Adam.
    #[default]
    Adam,
}

/// How the size of a step changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Not at all.
    #[default]
    Constant,
    /// Keras's `CosineDecay` over all updates, down to zero.
    CosineDecay,
}

fn default_learning_rate() -> f64 {
    1e-3
}

fn default_batch_size() -> usize {
    32
}

impl Training {
    /// The learning rate of an update, of which `updates` have been made and `all` will be.
    pub fn rate(&self, updates: u64, all: u64) -> f64 {
        match self.learning_rate_schedule {
            Schedule::Constant => self.learning_rate,
            Schedule::CosineDecay => {
                let done = updates as f64 / all as f64;
                self.learning_rate * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
        }
    }

    /// The bounds on gradients.
    pub fn clipping(&self) -> Clipping {
        Clipping { clipnorm: self.clipnorm, global_clipnorm: self.global_clipnorm }
    }
}

impl Config {
    /// Reads and checks a config.
    pub fn read(path: &Path) -> Result<Self> {
        let read = || -> Result<Self> {
            let text = std::fs::read_to_string(path)?;
            let config: Self = toml::from_str(&text).map_err(|error| at_line(&text, &error))?;
            config.check()?;
            Ok(config)
        };
        read().with_context(|| path.display().to_string())
    }

    /// Where the data is, if the config is at `path`.
    pub fn data_file(&self, path: &Path) -> PathBuf {
        path.parent().unwrap_or(Path::new("")).join(&self.data.file)
    }

    /// Refuses what cannot be meant.
    pub fn check(&self) -> Result<()> {
        let name_fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        ensure!(
            !self.name.is_empty() && !self.name.starts_with('.') && self.name.chars().all(name_fits),
            "name: {:?} is to become the name of a folder: letters, digits, - and _",
            self.name
        );
        let split = self.data.validation_split;
        ensure!(split > 0.0 && split < 1.0, "data.validation_split: {split} is not between 0 and 1");
        self.check_training()?;
        let chains = self.chains();
        check_layers(&chains)?;
        if let [encoder, decoder] = &chains[..] {
            encoder_decoder::check(encoder, decoder, self.training.loss)?;
        }
        self.check_head()?;
        self.check_labels()?;
        self.windows().map(drop)
    }

    /// The layers, and before them those of the encoder if there is one.
    fn chains(&self) -> Vec<ChainConfig<'_>> {
        let all: Vec<_> = self.encoder.iter().chain(&self.layers).collect();
        let mut names = layer_names(&all);
        let own = names.split_off(self.encoder.len());
        let mut chains = vec![ChainConfig { key: "layers", layers: &self.layers, names: own }];
        if !self.encoder.is_empty() {
            chains.insert(0, ChainConfig { key: "encoder", layers: &self.encoder, names });
        }
        chains
    }

    fn check_training(&self) -> Result<()> {
        let training = &self.training;
        let positive = |key: &str, value: Option<f64>| match value {
            Some(value) if !(value > 0.0 && value.is_finite()) => {
                bail!("training.{key}: {value} is not a positive number")
            }
            _ => Ok(()),
        };
        positive("learning_rate", Some(training.learning_rate))?;
        positive("clipnorm", training.clipnorm)?;
        positive("global_clipnorm", training.global_clipnorm)?;
        ensure!(training.batch_size > 0, "training.batch_size: 0");
        ensure!(training.epochs > 0, "training.epochs: 0");
        Ok(())
    }

    fn check_head(&self) -> Result<()> {
        let softmax = self.layers.last().is_some_and(|layer| layer.get().ends_in_softmax());
        ensure!(
            softmax || self.training.loss != Loss::CategoricalCrossentropy,
            "training.loss: categorical_crossentropy needs a Dense layer with activation softmax at the end"
        );
        Ok(())
    }

    /// Names are for people, so there is one for each class, and no two look the same.
    fn check_labels(&self) -> Result<()> {
        let Some(labels) = &self.data.labels else { return Ok(()) };
        ensure!(
            self.training.loss == Loss::CategoricalCrossentropy,
            "data.labels: classes have names, but the loss is that of values"
        );
        let outputs = outputs(&self.layers).unwrap_or(0);
        ensure!(
            labels.len() == outputs,
            "data.labels: {} names, but the network has {outputs} outputs",
            labels.len()
        );
        for (k, label) in labels.iter().enumerate() {
            let readable = !label.trim().is_empty() && !label.chars().any(char::is_control);
            ensure!(readable, "data.labels[{k}]: {label:?} cannot be read");
            ensure!(!labels[..k].contains(label), "data.labels[{k}]: {label:?} is taken");
        }
        Ok(())
    }

    /// Whether the network over these features is one to train here.
    pub fn check_size(&self, features: usize) -> Result<()> {
        check_size(&self.chains(), features)
    }

    /// The network to start from.
    pub fn network(&self, data: &Dataset, seed: u64) -> Network<f32> {
        let mut streams = (0..).map(|k| stream(seed, Purpose::Weights, k));
        let mut build = |chain: &ChainConfig<'_>, input_size| {
            let mut network = Network::new(input_size, Vec::new());
            for ((layer, name), mut rng) in chain.layers.iter().zip(&chain.names).zip(streams.by_ref()) {
                let kind = layer.get().build(network.output_size(), data, &mut rng);
                network.layers.push(Layer { name: name.clone(), kind });
            }
            network
        };
        let chains = self.chains();
        let mut network = build(&chains[0], data.sequences.features);
        network.decoder = chains.get(1).map(|decoder| Box::new(build(decoder, 1)));
        if let Some(decoder) = &network.decoder {
            assert_eq!(
                network.state_sizes(),
                decoder.state_sizes(),
                "a decoder starts from the encoder's states"
            );
        }
        network
    }
}

/// Where the layers of a config are.
#[derive(Deserialize)]
struct Places {
    #[serde(default)]
    encoder: Vec<toml::Spanned<toml::Value>>,
    layers: Vec<toml::Spanned<toml::Value>>,
}

/// A TOML error with its line.
fn at_line(text: &str, error: &toml::de::Error) -> anyhow::Error {
    let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
    // serde knows of a layer with an error in it only that it is one of the layers.
    let chains =
        toml::from_str::<Places>(text).map(|places| [("encoder", places.encoder), ("layers", places.layers)]);
    for (key, chain) in chains.into_iter().flatten() {
        for (k, layer) in chain.iter().enumerate() {
            if let Err(error) = layer.get_ref().clone().try_into::<LayerConfig>() {
                return anyhow!("line {}: {key}[{k}]: {}", line(layer.span().start), error.message().trim());
            }
        }
    }
    match error.span() {
        Some(span) => anyhow!("line {}: {}", line(span.start), error.message().trim()),
        None => anyhow!("{}", error.message().trim()),
    }
}

#[cfg(test)]
mod tests;
