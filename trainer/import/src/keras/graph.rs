//! The config tree as a chain of layers: a `Sequential` model as it is, a `Functional` model followed from
//! its input to its output.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::dict::ConfigDict;
use super::inbound::{Inbound, layer_of};
use super::layer_config::{InputSpec, LayerChain, LayerConfig, axes};
use super::masks::take_masks;
use super::residual::is_sum;

/// Reads the config of a model.
///
/// # Errors
/// Anything but a chain of layers.
pub fn read(config: Value) -> Result<LayerChain> {
    let mut model = ConfigDict::new(config)?;
    let class = model.string("class_name")?;
    model.ignore(&["module", "registered_name", "build_config", "compile_config", "shared_object_id"]);
    let config = model.required("config")?;
    model.finish()?;
    match class.as_str() {
        // Before Keras 2.2.3 the config is a list.
        "Sequential" if config.is_array() => sequential(serde_json::json!({ "name": "", "layers": config })),
        "Sequential" => sequential(config),
        "Functional" | "Model" => functional(config),
        _ => bail!("class_name {class}: only Sequential and Functional models are supported"),
    }
}

fn sequential(config: Value) -> Result<LayerChain> {
    let mut config = ConfigDict::new(config)?;
    let name = config.string("name")?;
    sequential_named(name, config)
}

/// Reads the rest of the config of a Sequential model with this name.
fn sequential_named(name: String, mut config: ConfigDict) -> Result<LayerChain> {
    let mut layers = layer_configs(&mut config)?;
    let built = config.take("build_input_shape");
    config.ignore_training()?;
    config.finish()?;
    let input = match layers.first_mut() {
        Some(first) if first.class == "InputLayer" => layers.remove(0).input()?,
        Some(first) => {
            let shape = first.options.take("batch_input_shape").or(built);
            let shape = shape.context("no input shape: call or build the model before saving it")?;
            let shape = axes("input_shape", &shape)?;
            InputSpec { shape, dtype: "float32".to_owned(), ..InputSpec::default() }
        }
        None => bail!("layers: empty"),
    };
    let order = (0..layers.len()).collect();
    Ok(LayerChain { name, input, layers, order })
}

fn functional(config: Value) -> Result<LayerChain> {
    let mut config = ConfigDict::new(config)?;
    let name = config.string("name")?;
    let mut layers = layer_configs(&mut config)?;
    let is_nested = |layer: &&LayerConfig| layer.nested.is_some();
    let nested = layers.iter().filter(is_nested).map(|layer| layer.name.clone()).collect();
    let [first, last] = ["input_layers", "output_layers"].map(|key| {
        let value = config.required(key)?;
        single_layer(&value, &nested).with_context(|| key.to_owned())
    });
    let (first, last) = (first?, last?);
    config.ignore_training()?;
    config.finish()?;

    let is_input = |layer: &LayerConfig| layer.class == "InputLayer";
    ensure!(layers.iter().filter(|layer| is_input(layer)).count() == 1, "input_layers: more than one");
    let index = layers.iter().position(is_input).unwrap_or_default();
    let input = layers.remove(index).input()?;
    ensure!(input.name == first, "input_layers {first}: expected {}", input.name);

    connect(&mut layers, &nested)?;
    let order = chain_order(&mut layers, &input.name)?;
    let end = order.last().map_or(&input.name, |&index| &layers[index].name);
    ensure!(*end == last, "output_layers {last}: the last layer is {end}");
    Ok(LayerChain { name, input, layers, order })
}

/// Reads the inputs of all layers and their masks.
fn connect(layers: &mut Vec<LayerConfig>, nested: &HashSet<String>) -> Result<()> {
    let mut inbound = HashMap::new();
    for layer in &mut *layers {
        let nodes = layer.inbound_nodes.take();
        let read = Inbound::read(nodes, nested).with_context(|| layer.name.clone())?;
        ensure!(
            read.other.is_none() || is_sum(layer),
            "{}: inbound_nodes: 2 inputs, only one is supported",
            layer.name
        );
        inbound.insert(layer.name.clone(), read);
    }
    let masks = take_masks(layers, &inbound)?;
    for layer in layers {
        let inbound = &inbound[&layer.name];
        layer.from.clone_from(&inbound.from);
        layer.operand = inbound.operand;
        layer.other.clone_from(&inbound.other);
        layer.index.clone_from(&inbound.index);
        layer.initial_state.clone_from(&inbound.initial_state);
        layer.mask = inbound.mask(&masks).with_context(|| layer.name.clone())?;
        layer.states_unused = true;
    }
    Ok(())
}

/// Returns the layers after `start` in order; each reads the one before, and a sum an earlier one, too.
fn chain_order(layers: &mut [LayerConfig], start: &str) -> Result<Vec<usize>> {
    let mut readers: HashMap<&str, &str> = HashMap::new();
    for LayerConfig { name, from, .. } in layers.iter().filter(|layer| layer.other.is_none()) {
        if let Some(other) = readers.insert(from, name) {
            bail!("{name}: inbound_nodes {from}: {other} reads it too, branches are not supported");
        }
    }
    let mut order = Vec::with_capacity(layers.len());
    let mut done = HashSet::from([start.to_owned()]);
    let mut current = start.to_owned();
    // Each round adds a layer to those that are done, so the loop ends.
    loop {
        let reads = |layer: &LayerConfig| layer.from == current || layer.other.as_ref() == Some(&current);
        let is_done = |layer: &LayerConfig| {
            done.contains(&layer.from) && layer.other.as_ref().is_none_or(|other| done.contains(other))
        };
        let next = |&k: &usize| !done.contains(&layers[k].name) && reads(&layers[k]) && is_done(&layers[k]);
        let readers: Vec<usize> = (0..layers.len()).filter(next).collect();
        if let [first, second, ..] = readers[..] {
            let (name, other) = (&layers[second].name, &layers[first].name);
            bail!("{name}: inbound_nodes {current}: {other} reads it too, branches are not supported");
        }
        let Some(&index) = readers.first() else { break };
        let layer = &mut layers[index];
        if let Some(other) = layer.other.as_mut().filter(|other| **other == current) {
            std::mem::swap(&mut layer.from, other);
        }
        current.clone_from(&layer.name);
        done.insert(current.clone());
        order.push(index);
    }
    if let Some(LayerConfig { name, from, .. }) = layers.iter().find(|layer| !done.contains(&layer.name)) {
        bail!("{name}: inbound_nodes {from}: not in the chain of layers after the input");
    }
    Ok(order)
}

/// Reads the layers of a model, whose names must be unique.
fn layer_configs(config: &mut ConfigDict) -> Result<Vec<LayerConfig>> {
    let Value::Array(layers) = config.required("layers")? else { bail!("layers: expected a list") };
    let layer_config = |(index, layer): (usize, Value)| {
        let has_name = layer.pointer("/config/name").is_some();
        let layer = LayerConfig::read(layer);
        if has_name { layer } else { layer.with_context(|| format!("layers[{index}]")) }
    };
    let mut layers: Vec<LayerConfig> =
        layers.into_iter().enumerate().map(layer_config).collect::<Result<_>>()?;
    for layer in layers.iter_mut().filter(|layer| layer.class == "Sequential") {
        let nested = sequential_named(layer.name.clone(), layer.options.clone());
        layer.nested = Some(Box::new(nested.with_context(|| layer.name.clone())?));
    }
    let mut names: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => bail!("{}: duplicate layer name", pair[0]),
        None => Ok(layers),
    }
}

/// Returns the only layer of a list of `[NAME, 0, 0]`, which may come without the list.
fn single_layer(value: &Value, nested: &HashSet<String>) -> Result<String> {
    let list = value.as_array().context("expected a list")?;
    let one = match &list[..] {
        [Value::Array(one)] => one,
        _ => list,
    };
    ensure!(matches!(one[..], [Value::String(_), _, _]), "{} layers, only one is supported", list.len());
    layer_of(one, nested)
}
