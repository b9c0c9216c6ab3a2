//! The chains of layers of a config: names, order and size.

use anyhow::{Context, Result, ensure};

use crate::layers::LayerConfig;

/// A chain of layers in a config.
pub(super) struct ChainConfig<'a> {
    /// The key of its tables.
    pub key: &'static str,
    /// From its input to its output.
    pub layers: &'a [LayerConfig],
    /// What each is called; as in Keras `lstm`, `lstm_1`, ... where no name is given, counted over all chains.
    pub names: Vec<String>,
}

impl ChainConfig<'_> {
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
pub(super) fn check_layers(chains: &[ChainConfig<'_>]) -> Result<()> {
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
pub(super) fn check_size(chains: &[ChainConfig<'_>], features: usize) -> Result<()> {
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
