//! The layers of a config. A new one is a row of [`LayerConfig`] and of its two tables.

use anyhow::{Context, Result, bail, ensure};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::cells::{CellConfig, LstmConfig, SimpleRnnConfig};
use crate::data::Dataset;
use crate::layers::{Dense, Kind, Normalization, Recurrent};

/// A layer, by its Keras name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum LayerConfig {
    /// Standardises every feature; the first layer or none.
    Normalization(NormalizationConfig),
    /// Long short-term memory.
    #[serde(rename = "LSTM")]
    Lstm(LstmConfig),
    /// The plain recurrent cell.
    #[serde(rename = "SimpleRNN")]
    SimpleRnn(SimpleRnnConfig),
    /// Weighted sums and an activation.
    Dense(DenseConfig),
}

/// A `Normalization` layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormalizationConfig {
    /// Its name.
    pub name: Option<String>,
}

/// A `Dense` layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenseConfig {
    /// Its name.
    pub name: Option<String>,
    /// The number of outputs.
    pub units: usize,
    /// Linear unless said otherwise.
    #[serde(default)]
    pub activation: Activation,
}

impl LayerConfig {
    /// The cell of a recurrent layer.
    fn cell(&self) -> Option<&dyn CellConfig> {
        match self {
            Self::Lstm(cell) => Some(cell),
            Self::SimpleRnn(cell) => Some(cell),
            Self::Normalization(_) | Self::Dense(_) => None,
        }
    }

    /// The name given, the one that is taken if none is, and the number of units.
    fn facts(&self) -> (Option<&String>, &'static str, Option<usize>) {
        match self {
            Self::Normalization(layer) => (layer.name.as_ref(), "normalization", None),
            Self::Dense(layer) => (layer.name.as_ref(), "dense", Some(layer.units)),
            Self::Lstm(cell) => (cell.name.as_ref(), "lstm", Some(cell.units)),
            Self::SimpleRnn(cell) => (cell.name.as_ref(), "simple_rnn", Some(cell.units)),
        }
    }

    /// The number of units, where that is for the config to say.
    pub fn units(&self) -> Option<usize> {
        self.facts().2
    }

    /// The number of weights and biases over `input_size` features.
    fn parameters(&self, input_size: u64) -> u64 {
        let units = self.units().unwrap_or(0) as u64;
        let (gates, hidden) = self.cell().map_or((1, 0), |cell| (cell.gates(), units));
        // Units end at 2^16, so only the features can be too many to count.
        input_size.saturating_add(hidden + 1).saturating_mul(gates * units)
    }

    /// Whether sequences that come in go out as sequences.
    pub fn keeps_time(&self) -> bool {
        self.cell().is_none_or(CellConfig::return_sequences)
    }

    /// Whether probabilities come out.
    pub fn ends_in_softmax(&self) -> bool {
        matches!(self, Self::Dense(DenseConfig { activation: Activation::Softmax, .. }))
    }

    /// The layer to start from, over `input_size` features.
    pub fn build(&self, input_size: usize, data: &Dataset, rng: &mut ChaCha8Rng) -> Kind<f32> {
        if let Some(cell) = self.cell() {
            let return_sequences = cell.return_sequences();
            return Kind::Recurrent(Recurrent { cell: cell.build(input_size, rng), return_sequences });
        }
        match self {
            Self::Dense(layer) => Kind::Dense(Dense::new(input_size, layer.units, layer.activation, rng)),
            _ => Kind::Normalization(Normalization::measure(data.sequences.frames(), input_size)),
        }
    }

    fn check(&self, first: bool, sequences: bool) -> Result<()> {
        if let Some(units) = self.units() {
            ensure!((1..=1 << 16).contains(&units), "units: {units} is not between 1 and 65536");
        }
        if let Self::Normalization(_) = self {
            ensure!(first, "only the first layer can be one");
        }
        match self.cell() {
            Some(_) if !sequences => bail!(
                "expects sequences, but the recurrent layer before it gives its last output only: set \
                 return_sequences = true there"
            ),
            Some(cell) => cell.check(),
            None => Ok(()),
        }
    }
}

/// Refuses layers that do not fit one after another.
pub(super) fn check_layers(layers: &[LayerConfig]) -> Result<()> {
    ensure!(!layers.is_empty(), "layers: none");
    let names = layer_names(layers);
    let mut sequences = true;
    for (k, layer) in layers.iter().enumerate() {
        layer.check(k == 0, sequences).with_context(|| format!("layers[{k}] ({})", names[k]))?;
        sequences &= layer.keeps_time();
        ensure!(!names[..k].contains(&names[k]), "layers[{k}].name: {:?} is taken", names[k]);
    }
    Ok(())
}

/// The most parameters in a network. Training holds about six numbers for each.
const MOST_PARAMETERS: u64 = 1 << 26;

/// Refuses layers that, over so many features, would not fit into memory, before any of it is taken.
pub(super) fn check_size(layers: &[LayerConfig], features: usize) -> Result<()> {
    let (mut size, mut sum) = (features as u64, 0u64);
    for (k, (layer, name)) in layers.iter().zip(layer_names(layers)).enumerate() {
        sum = sum.saturating_add(layer.parameters(size));
        ensure!(
            sum <= MOST_PARAMETERS,
            "layers[{k}] ({name}): with it the network has {sum} parameters; at most {MOST_PARAMETERS} are trained"
        );
        size = layer.units().map_or(size, |units| units as u64);
    }
    Ok(())
}

/// The names of the layers; as in Keras `lstm`, `lstm_1`, ... where none is given.
pub(super) fn layer_names(layers: &[LayerConfig]) -> Vec<String> {
    let name = |(k, layer): (usize, &LayerConfig)| {
        let (given, default, _) = layer.facts();
        let before = layers[..k].iter().filter(|other| other.facts().1 == default).count();
        let default = if before == 0 { default.to_owned() } else { format!("{default}_{before}") };
        given.cloned().unwrap_or(default)
    };
    layers.iter().enumerate().map(name).collect()
}
