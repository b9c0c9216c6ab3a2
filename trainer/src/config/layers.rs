//! The layers of a config, by Keras's names. A new cell is a row of `cells/mod.rs`; another layer a row of [`LayerConfig`].

use anyhow::{Context, Result, bail, ensure};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::cells::{CellConfig, with_cells};
use crate::data::Dataset;
use crate::layers::{Kind, activation, dense, embedding};

/// What a config says of a layer.
pub trait LayerSpec {
    /// The name given.
    fn name(&self) -> Option<&String>;

    /// The number of features out, where that is for the config to say, and the key that says it.
    fn units(&self) -> Option<(&'static str, usize)> {
        None
    }

    /// The number of weights and biases over `input_size` features.
    fn parameters(&self, _input_size: u64) -> u64 {
        0
    }

    /// Whether sequences that come in go out as sequences.
    fn keeps_time(&self) -> bool {
        true
    }

    /// Whether only sequences can come in.
    fn needs_time(&self) -> bool {
        false
    }

    /// Whether it takes the data as it is, and nothing that another layer gives.
    fn only_first(&self) -> bool {
        false
    }

    /// What all features of a frame are that is none, if there are such frames.
    fn mask_value(&self) -> Option<f32> {
        None
    }

    /// Refuses what cannot be meant.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Refuses a number of units that cannot be meant.
    fn check_units(&self) -> Result<()> {
        let Some((key, units)) = self.units() else { return Ok(()) };
        ensure!((1..=1 << 16).contains(&units), "{key}: {units} is not between 1 and 65536");
        Ok(())
    }

    /// The layer to start from, over `input_size` features.
    fn build(&self, input_size: usize, data: &Dataset, rng: &mut ChaCha8Rng) -> Kind<f32>;
}

/// Writes [`LayerConfig`]: the rows of the table of cells, and those given here.
macro_rules! layer_configs {
    ($($keras:literal $module:ident $cell:ident,)*) => {
        layer_configs! {
            cells { $($keras $module $cell,)* }
            layers {
                "Normalization" normalization Normalization,
                "Masking" masking Masking,
                "Embedding" embedding Embedding,
                "Bidirectional" bidirectional Bidirectional,
                "Dense" dense Dense,
                "Activation" activation Activation,
                "Dropout" dropout Dropout,
                "BatchNormalization" batch_normalization BatchNormalization,
                "LayerNormalization" layer_normalization LayerNormalization,
            }
        }
    };
    (
        cells { $($cell_name:literal $cell_module:ident $cell:ident,)* }
        layers { $($name:literal $module:ident $layer:ident,)* }
    ) => {
        /// A layer, by its Keras name.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type")]
        pub enum LayerConfig {
            $(
                #[doc = concat!("Keras's `", $cell_name, "`.")]
                #[serde(rename = $cell_name)]
                $cell(crate::cells::$cell_module::Config),
            )*
            $(
                #[doc = concat!("Keras's `", $name, "`.")]
                #[serde(rename = $name)]
                $layer(crate::layers::$module::Config),
            )*
        }

        impl LayerConfig {
            /// What all layers share.
            pub fn get(&self) -> &dyn LayerSpec {
                match self {
                    $(Self::$cell(config) => config,)*
                    $(Self::$layer(config) => config,)*
                }
            }

            /// The cell of a recurrent layer.
            pub fn cell(&self) -> Option<&dyn CellConfig> {
                match self {
                    $(Self::$cell(config) => Some(config),)*
                    $(Self::$layer(_) => None,)*
                }
            }

            /// What it is called if no name is given.
            fn default_name(&self) -> &'static str {
                match self {
                    $(Self::$cell(_) => stringify!($cell_module),)*
                    $(Self::$layer(_) => stringify!($module),)*
                }
            }
        }
    };
}

with_cells!(layer_configs);

/// Refuses a term that could not keep anything from being divided by zero.
pub fn check_epsilon(epsilon: Option<f64>) -> Result<()> {
    match epsilon {
        // Below this an f32 would not notice it beside a variance of 1.
        Some(epsilon) if !(epsilon >= 1e-9 && epsilon.is_finite()) => {
            bail!("epsilon: {epsilon} is not a number from 1e-9 on")
        }
        _ => Ok(()),
    }
}

impl LayerConfig {
    /// Whether probabilities come out.
    pub fn ends_in_softmax(&self) -> bool {
        match self {
            Self::Dense(dense::Config { activation, .. })
            | Self::Activation(activation::Config { activation, .. }) => *activation == Activation::Softmax,
            _ => false,
        }
    }

    /// The ids that it takes, if it takes ids.
    pub fn ids(&self) -> Option<&embedding::Config> {
        if let Self::Embedding(config) = self { Some(config) } else { None }
    }

    fn check(&self, first: bool, sequences: bool) -> Result<()> {
        let spec = self.get();
        spec.check_units()?;
        ensure!(first || !spec.only_first(), "only the first layer can be one");
        ensure!(
            sequences || !spec.needs_time(),
            "expects sequences, but the recurrent layer before it gives its last output only: set \
             return_sequences = true there"
        );
        spec.check()
    }
}

/// A chain of layers in a config.
pub(super) struct Chain<'a> {
    /// The key of its tables.
    pub key: &'static str,
    /// From its input to its output.
    pub layers: &'a [LayerConfig],
    /// What each is called; as in Keras `lstm`, `lstm_1`, ... where no name is given, counted over all chains.
    pub names: Vec<String>,
}

impl Chain<'_> {
    /// Where a layer stands, for errors.
    pub fn place(&self, k: usize) -> String {
        format!("{}[{k}] ({})", self.key, self.names[k])
    }
}

/// The number of values that come out of the layers, where that is for the config to say.
pub(super) fn outputs(layers: &[LayerConfig]) -> Option<usize> {
    layers.iter().rev().find_map(|layer| layer.get().units()).map(|(_, units)| units)
}

/// Refuses layers that do not fit one after another.
pub(super) fn check_layers(chains: &[Chain<'_>]) -> Result<()> {
    let mut taken = Vec::new();
    for chain in chains {
        let layers = chain.layers;
        ensure!(!layers.is_empty(), "{}: none", chain.key);
        let mut sequences = true;
        for (k, layer) in layers.iter().enumerate() {
            layer.check(is_first(layers, k), sequences).with_context(|| chain.place(k))?;
            sequences &= layer.get().keeps_time();
            let name = &chain.names[k];
            ensure!(!taken.contains(&name), "{}[{k}].name: {name:?} is taken", chain.key);
            taken.push(name);
        }
    }
    Ok(())
}

/// Whether a layer meets the data as it is. A Masking changes nothing in the frames that it leaves, so they can be
/// measured behind it.
fn is_first(layers: &[LayerConfig], k: usize) -> bool {
    let masked = || matches!(layers, [LayerConfig::Masking(_), LayerConfig::Normalization(_), ..]);
    k == 0 || (k == 1 && masked())
}

/// The most parameters in a network. Training holds about six numbers for each.
const MOST_PARAMETERS: u64 = 1 << 26;

/// Refuses layers that, over so many features, would not fit into memory, before any of it is taken.
pub(super) fn check_size(chains: &[Chain<'_>], features: usize) -> Result<()> {
    let (mut size, mut sum) = (features as u64, 0u64);
    for chain in chains {
        for (k, layer) in chain.layers.iter().enumerate() {
            sum = sum.saturating_add(layer.get().parameters(size));
            ensure!(
                sum <= MOST_PARAMETERS,
                "{}: with it the network has {sum} parameters; at most {MOST_PARAMETERS} are trained",
                chain.place(k)
            );
            size = layer.get().units().map_or(size, |(_, units)| units as u64);
        }
    }
    Ok(())
}

/// The names of all layers.
pub(super) fn layer_names(layers: &[&LayerConfig]) -> Vec<String> {
    let name = |(k, layer): (usize, &&LayerConfig)| {
        let default = layer.default_name();
        let before = layers[..k].iter().filter(|other| other.default_name() == default).count();
        let default = if before == 0 { default.to_owned() } else { format!("{default}_{before}") };
        layer.get().name().cloned().unwrap_or(default)
    };
    layers.iter().enumerate().map(name).collect()
}
