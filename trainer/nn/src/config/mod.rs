//! `CONFIG.toml`: the data, the layers, and the training options. Names and defaults are Keras's.

mod data;
mod encoder_decoder;
mod forecast;
mod keys;
mod layers;
mod loss;
mod optimizer;
mod schedule;
mod training;

pub use keys::page as keys_page;
pub use loss::{ClassWeight, ClassWeightRule};
pub use training::{EarlyStopping, Optimizer, ReduceLrOnPlateau, Schedule, Training};

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::{Deserialize, Serialize};
use strsim::jaro_winkler;

use crate::data::Dataset;
use crate::initializers::{Purpose, stream};
use crate::layers::{Layer, LayerConfig};
use crate::net::Network;

use layers::{ChainConfig, check_layers, check_size, layer_names};

/// The content of a config file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The name of the network.
    pub name: String,
    /// The data to train and test on.
    pub data: DataConfig,
    /// In an encoder-decoder, the layers from the input to the layer whose final state the decoder starts
    /// from.
    #[serde(default)]
    pub encoder: Vec<LayerConfig>,
    /// The layers from input to output; with an encoder, those of the decoder.
    pub layers: Vec<LayerConfig>,
    /// The training options.
    pub training: Training,
}

/// The data to train and test on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// A data set, or a `.csv` file of a series; relative to the folder of the config.
    pub file: PathBuf,
    /// The share of the training sequences that is split off for validation, at least 0 and below 1; default
    /// 0.2, or none if the file has a validation part. The sequences are drawn by the seed, of each class its
    /// share; of a series, they are the last. With 0, nothing is split off.
    pub validation_split: Option<f64>,
    /// The names of the classes, in the order of their indices.
    pub labels: Option<Vec<String>>,
    /// In a series, the first date of the test part, `YYYY-MM-DD` or `YYYY-MM`.
    pub split_date: Option<String>,
    /// In a series, the number of values from which the next one is forecast.
    pub window: Option<usize>,
    /// In a series, `true` if the changes from value to value are learned and forecast instead of the values.
    #[serde(default)]
    pub difference: bool,
}

/// The default of `validation_split`.
const VALIDATION_SPLIT: f64 = 0.2;

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

    /// Returns the share of the training sequences to split off for validation; `given` is `true` if the data
    /// has a validation part of its own.
    pub fn validation_share(&self, given: bool) -> Result<f64> {
        match self.data.validation_split {
            Some(split) if given => bail!("data.validation_split: {split}, but the file has x_val"),
            _ if given => Ok(0.0),
            split => Ok(split.unwrap_or(VALIDATION_SPLIT)),
        }
    }

    /// Returns the path of the data file, for a config at `path`.
    pub fn data_file(&self, path: &Path) -> PathBuf {
        path.parent().unwrap_or(Path::new("")).join(&self.data.file)
    }

    /// Rejects values and combinations that are not valid.
    pub fn check(&self) -> Result<()> {
        let name_fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        ensure!(
            !self.name.is_empty() && !self.name.starts_with('.') && self.name.chars().all(name_fits),
            "name: {:?} is to become the name of a folder: letters, digits, - and _",
            self.name
        );
        let split = self.data.validation_split.unwrap_or(VALIDATION_SPLIT);
        ensure!((0.0..1.0).contains(&split), "data.validation_split: {split} is not at least 0 and below 1");
        self.training.check()?;
        let chains = self.chains();
        check_layers(&chains)?;
        if let [encoder, decoder] = &chains[..] {
            encoder_decoder::check(encoder, decoder, self.training.loss)?;
        }
        self.check_head()?;
        self.check_labels()?;
        self.windows().map(drop)
    }

    /// Returns the chains of layers: first the encoder, if there is one, then the layers.
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

    /// Checks the class names: one per class, all of them readable and different.
    fn check_labels(&self) -> Result<()> {
        let Some(labels) = &self.data.labels else { return Ok(()) };
        ensure!(
            self.training.loss.is_crossentropy(),
            "data.labels: classes have names, but the loss is that of values"
        );
        let classes = self.classes();
        ensure!(
            labels.len() == classes,
            "data.labels: {} names, but the network has {classes} classes",
            labels.len()
        );
        for (k, label) in labels.iter().enumerate() {
            let readable = !label.trim().is_empty() && !label.chars().any(char::is_control);
            ensure!(readable, "data.labels[{k}]: {label:?} cannot be read");
            ensure!(!labels[..k].contains(label), "data.labels[{k}]: {label:?} is taken");
        }
        Ok(())
    }

    /// Rejects a network that is too large for this number of features.
    pub fn check_size(&self, features: usize) -> Result<()> {
        check_size(&self.chains(), features)
    }

    /// Builds the network with its initial weights.
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

/// The lines of the layers in a config.
#[derive(Deserialize)]
struct Places {
    #[serde(default)]
    encoder: Vec<toml::Spanned<toml::Value>>,
    layers: Vec<toml::Spanned<toml::Value>>,
}

/// Converts a TOML error to an error with its line.
fn at_line(text: &str, error: &toml::de::Error) -> anyhow::Error {
    let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
    // For an error inside a layer, serde reports only that it is in the list of layers.
    let chains =
        toml::from_str::<Places>(text).map(|places| [("encoder", places.encoder), ("layers", places.layers)]);
    for (key, chain) in chains.into_iter().flatten() {
        for (k, layer) in chain.iter().enumerate() {
            if let Err(error) = layer.get_ref().clone().try_into::<LayerConfig>() {
                return anyhow!("line {}: {key}[{k}]: {}", line(layer.span().start), reason(error.message()));
            }
        }
    }
    match error.span() {
        Some(span) => anyhow!("line {}: {}", line(span.start), reason(error.message())),
        None => anyhow!("{}", reason(error.message())),
    }
}

/// The least Jaro-Winkler similarity of a name that an error suggests.
const SIMILAR: f64 = 0.8;

/// Returns the message of an error; of an unknown key or name the nearest one in place of all.
fn reason(message: &str) -> String {
    let message = message.trim();
    let Some((unknown, expected)) = message.split_once(", expected ") else { return message.to_owned() };
    let quoted = |text: &'_ str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let [name] = &quoted(unknown)[..] else { return message.to_owned() };
    let similarity = |other: &String| jaro_winkler(&name.to_lowercase(), &other.to_lowercase());
    let names = quoted(expected);
    let nearest = names.iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    match nearest.filter(|nearest| similarity(nearest) >= SIMILAR) {
        Some(nearest) => format!("{unknown}; the nearest is `{nearest}`"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests;
