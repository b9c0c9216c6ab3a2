//! The chains of layers of a config: names, order and size.

use anyhow::{Context, Result, ensure};

use crate::layers::LayerConfig;
use crate::layers::add::AddConfig;

/// A chain of layers in a config.
pub(super) struct ChainConfig<'a> {
    /// The key of its tables.
    pub key: &'static str,
    /// The layers, from input to output.
    pub layers: &'a [LayerConfig],
    /// The name of each layer. Unnamed layers are called `lstm`, `lstm_1`, ... as in Keras, counted over all
    /// chains.
    pub names: Vec<String>,
}

impl ChainConfig<'_> {
    /// Returns the place of a layer for error messages.
    pub fn place(&self, k: usize) -> String {
        format!("{}[{k}] ({})", self.key, self.names[k])
    }
}

/// Returns the number of output values of the layers, where the config determines it.
pub(super) fn outputs(layers: &[LayerConfig]) -> Option<usize> {
    layers.iter().rev().find_map(|layer| layer.get().units()).map(|(_, units)| units)
}

/// Rejects layers that do not fit one after another.
pub(super) fn check_layers(chains: &[ChainConfig<'_>]) -> Result<()> {
    let mut taken = Vec::new();
    for chain in chains {
        let layers = chain.layers;
        ensure!(!layers.is_empty(), "{}: no layers", chain.key);
        let mut sequences = true;
        for (k, layer) in layers.iter().enumerate() {
            layer.check(is_first(layers, k), sequences).with_context(|| chain.place(k))?;
            check_span(layers, k).with_context(|| chain.place(k))?;
            sequences &= layer.get().keeps_time();
            let name = &chain.names[k];
            ensure!(!taken.contains(&name), "{}[{k}].name: {name:?} is taken", chain.key);
            taken.push(name);
        }
    }
    Ok(())
}

/// Rejects a residual connection that the runtime could not run, in f32 or in i8.
fn check_span(layers: &[LayerConfig], k: usize) -> Result<()> {
    let LayerConfig::Add(AddConfig { span, .. }) = &layers[k] else { return Ok(()) };
    let first = k.checked_sub(*span).with_context(|| format!("span: {span}, but {k} layers before it"))?;
    let is_input = |layer: &LayerConfig| {
        use LayerConfig::{BatchNormalization, Embedding, Masking, Normalization};
        matches!(layer, Normalization(_) | Masking(_) | Embedding(_))
            || (first == 0 && matches!(layer, BatchNormalization(_)))
    };
    ensure!(!is_input(&layers[first]), "span: {span}, which includes the layer that reads the data");
    let kept = layers[first..k].iter().all(|layer| layer.get().keeps_time());
    ensure!(kept, "span: {span}, which includes a layer that returns its last output only");
    let whole = |layer: &LayerConfig| {
        layer.cell().is_some_and(|cell| cell.shared().go_backwards)
            || matches!(layer, LayerConfig::Bidirectional(_))
            || layer.get().mask_value().is_some()
    };
    ensure!(
        !layers.iter().any(whole),
        "not supported beside a layer that runs backwards or masks time steps"
    );
    Ok(())
}

/// Returns `true` if a layer receives the data unchanged. A Masking does not change the frames that it
/// leaves, so that the layer after it can measure them.
fn is_first(layers: &[LayerConfig], k: usize) -> bool {
    let masked = || matches!(layers, [LayerConfig::Masking(_), LayerConfig::Normalization(_), ..]);
    k == 0 || (k == 1 && masked())
}

/// The largest number of parameters in a network. Training stores about six numbers per parameter.
const MOST_PARAMETERS: u64 = 1 << 26;

/// Rejects layers that would not fit into memory for this number of features, before anything is allocated.
pub(super) fn check_size(chains: &[ChainConfig<'_>], features: usize) -> Result<()> {
    let (mut size, mut sum) = (features as u64, 0u64);
    for chain in chains {
        let mut inputs = Vec::new();
        for (k, layer) in chain.layers.iter().enumerate() {
            inputs.push(size);
            if let LayerConfig::Add(AddConfig { span, .. }) = layer {
                let earlier = inputs[k - span];
                ensure!(size == earlier, "{}: span: {earlier} features before, {size} after", chain.place(k));
            }
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

/// Returns the names of all layers.
pub(super) fn layer_names(layers: &[&LayerConfig]) -> Vec<String> {
    let name = |(k, layer): (usize, &&LayerConfig)| {
        let default = layer.default_name();
        let before = layers[..k].iter().filter(|other| other.default_name() == default).count();
        let default = if before == 0 { default.to_owned() } else { format!("{default}_{before}") };
        layer.get().name().cloned().unwrap_or(default)
    };
    layers.iter().enumerate().map(name).collect()
}
