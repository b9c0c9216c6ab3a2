//! From a config to layers in a row: a `Sequential` as it stands, a `Functional` model followed from its input to its output.
//!
//! Keras 2 writes where a layer's input comes from as `[[NAME, 0, 0, KWARGS]]`, Keras 3 as an object of `args` and `kwargs`.
//! A mask goes from layer to layer unsaid, but for the Functional models of Keras 3: there the operations that make it,
//! `NotEqual` and `Any`, stand among the layers, and each layer that it reaches names it.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::node::{Inbound, Mask};
use super::options::{Options, refusal};

/// A model of layers in a row.
pub struct Graph {
    /// Its name.
    pub name: String,
    /// What it takes.
    pub input: Input,
    /// The layers behind the input, in the order of the config.
    pub layers: Vec<Entry>,
    /// Their places in that order, from the input to the output.
    pub order: Vec<usize>,
}

/// What a model takes.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// The layer's name; empty if there is none.
    pub name: String,
    /// Lengths of the axes behind that of the batch, where they are fixed.
    pub shape: Vec<Option<usize>>,
    /// What the values are.
    pub dtype: String,
}

/// A layer of the config.
pub struct Entry {
    /// Its class.
    pub class: String,
    /// Its name.
    pub name: String,
    /// Its options.
    pub options: Options,
    /// Which layer it reads, in a Functional model.
    pub from: String,
    /// Its mask.
    pub mask: Mask,
    /// Whether it can have no states beside its output: in a Functional model nothing reads them.
    pub states_unused: bool,
    inbound: Option<Value>,
}

/// The classes of models.
const MODELS: [&str; 3] = ["Sequential", "Functional", "Model"];

/// The model that this config describes.
///
/// # Errors
/// Anything but layers in a row.
pub fn read(config: Value) -> Result<Graph> {
    let mut model = Options::new(config)?;
    let class = model.text("class_name")?;
    model.ignore(&["module", "registered_name", "build_config", "compile_config", "shared_object_id"]);
    let config = model.needed("config")?;
    model.finish()?;
    match class.as_str() {
        // Before 2.2.3 a list.
        "Sequential" if config.is_array() => sequential(serde_json::json!({ "name": "", "layers": config })),
        "Sequential" => sequential(config),
        "Functional" | "Model" => functional(config),
        _ => bail!("class_name {class}: only Sequential and Functional models are read"),
    }
}

fn sequential(config: Value) -> Result<Graph> {
    let mut config = Options::new(config)?;
    let name = config.text("name")?;
    let mut layers = entries(&mut config)?;
    let built = config.take("build_input_shape");
    config.common()?;
    config.finish()?;
    let input = match layers.first_mut() {
        Some(first) if first.class == "InputLayer" => layers.remove(0).input()?,
        Some(first) => {
            let shape = first.options.take("batch_input_shape").or(built);
            let shape = shape.context("no input shape: call or build the model before it is saved")?;
            Input { shape: axes("input_shape", &shape)?, dtype: "float32".to_owned(), ..Input::default() }
        }
        None => bail!("layers: none"),
    };
    let order = (0..layers.len()).collect();
    Ok(Graph { name, input, layers, order })
}

fn functional(config: Value) -> Result<Graph> {
    let mut config = Options::new(config)?;
    let name = config.text("name")?;
    let mut layers = entries(&mut config)?;
    let [first, last] = ["input_layers", "output_layers"].map(|key| {
        let value = config.needed(key)?;
        single(&value).with_context(|| key.to_owned())
    });
    let (first, last) = (first?, last?);
    config.common()?;
    config.finish()?;

    let is_input = |entry: &Entry| entry.class == "InputLayer";
    ensure!(layers.iter().filter(|entry| is_input(entry)).count() == 1, "input_layers: more than one");
    let place = layers.iter().position(is_input).unwrap_or_default();
    let input = layers.remove(place).input()?;
    ensure!(input.name == first, "input_layers {first}: not the layer {}", input.name);

    let mut inbound = HashMap::new();
    for entry in &mut layers {
        let nodes = entry.inbound.take();
        let found = Inbound::read(nodes).with_context(|| entry.name.clone())?;
        inbound.insert(entry.name.clone(), found);
    }
    let masks = super::node::masks(&mut layers, &inbound)?;
    for entry in &mut layers {
        let inbound = &inbound[&entry.name];
        entry.from.clone_from(&inbound.from);
        entry.mask = inbound.mask(&masks).with_context(|| entry.name.clone())?;
        entry.states_unused = true;
    }
    let order = row(&layers, &input.name)?;
    let end = order.last().map_or(&input.name, |&place| &layers[place].name);
    ensure!(*end == last, "output_layers {last}: {end} is behind it");
    Ok(Graph { name, input, layers, order })
}

/// The layers from the one behind `start` on, each the only one that reads the one before.
fn row(layers: &[Entry], start: &str) -> Result<Vec<usize>> {
    let mut readers: HashMap<&str, usize> = HashMap::new();
    for (place, entry) in layers.iter().enumerate() {
        if let Some(other) = readers.insert(&entry.from, place) {
            let name = &layers[other].name;
            bail!(
                "{}: inbound_nodes {}: {name} reads it too, and branches are not read",
                entry.name,
                entry.from
            );
        }
    }
    let mut order = Vec::with_capacity(layers.len());
    let mut at = start;
    // Each reader is taken once, so this ends.
    while let Some(place) = readers.remove(at) {
        order.push(place);
        at = &layers[place].name;
    }
    if let Some((from, place)) = readers.into_iter().next() {
        bail!("{}: inbound_nodes {from}: not in the row of layers behind the input", layers[place].name);
    }
    Ok(order)
}

/// The layers of a model, each with a name of its own.
fn entries(config: &mut Options) -> Result<Vec<Entry>> {
    let Value::Array(layers) = config.needed("layers")? else { bail!("layers: a list expected") };
    let entry = |(place, layer): (usize, Value)| {
        let named = layer.pointer("/config/name").is_some();
        let entry = Entry::read(layer);
        if named { entry } else { entry.with_context(|| format!("layers[{place}]")) }
    };
    let entries: Vec<Entry> = layers.into_iter().enumerate().map(entry).collect::<Result<_>>()?;
    let mut names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => bail!("{}: the name of another layer too", pair[0]),
        None => Ok(entries),
    }
}

impl Entry {
    /// A layer, or one inside another.
    ///
    /// # Errors
    /// No layer of Keras.
    pub fn read(layer: Value) -> Result<Self> {
        let mut outer = Options::new(layer)?;
        let class = outer.text("class_name")?;
        let mut options = Options::new(outer.needed("config")?)?;
        // Operations of 3.0 have it outside only.
        let name = if options.has("name") { options.text("name") } else { outer.text("name") }?;
        let rest = || -> Result<Option<Value>> {
            ensure!(!MODELS.contains(&&*class), "a model inside a model is not read");
            let own = ["keras.layers", "tf_keras.layers", "keras.src.ops.numpy", "keras.src.ops.operation"];
            outer.only("module", &own.map(Value::from), "only the layers of Keras are read")?;
            outer.only("registered_name", &[Value::from(&*class)], "only the layers of Keras are read")?;
            outer.only("name", &[Value::from(&*name)], "another name than in its config")?;
            outer.ignore(&["build_config", "shared_object_id"]);
            let inbound = outer.take("inbound_nodes");
            outer.finish()?;
            Ok(inbound)
        };
        let inbound = rest_of(&name, &class, rest)?;
        let (from, mask) = (String::new(), Mask::Unsaid);
        Ok(Self { class, name, options, from, mask, states_unused: false, inbound })
    }

    /// What an `InputLayer` says.
    fn input(mut self) -> Result<Input> {
        let read = |options: &mut Options| -> Result<Input> {
            let shape = options.take("batch_input_shape").or_else(|| options.take("batch_shape"));
            let shape = axes("batch_shape", &shape.context("batch_shape: missing")?)?;
            let dtype = options.text("dtype")?;
            for key in ["sparse", "ragged", "optional"] {
                options.off(key, "only dense input is read")?;
            }
            Ok(Input { name: self.name.clone(), shape, dtype })
        };
        let input = read(&mut self.options).and_then(|input| self.options.finish().map(|()| input));
        input.with_context(|| self.name)
    }
}

/// Names the layer in what goes wrong; of a class that is not Keras's own also the class.
fn rest_of<T>(name: &str, class: &str, read: impl FnOnce() -> Result<T>) -> Result<T> {
    read().with_context(|| format!("{name}: class_name {class}"))
}

/// The axes behind that of the batch.
fn axes(key: &str, shape: &Value) -> Result<Vec<Option<usize>>> {
    let axis = |value: &Value| match value.as_u64() {
        Some(length) => usize::try_from(length).ok().map(Some),
        None => value.is_null().then_some(None),
    };
    let all = shape.as_array().and_then(|axes| axes.iter().map(axis).collect::<Option<Vec<_>>>());
    let all = all.filter(|axes| !axes.is_empty());
    Ok(all.ok_or_else(|| refusal(key, shape, "not a list of lengths"))?.split_off(1))
}

/// The one layer of a list of `[NAME, 0, 0]`, which may stand without the list.
fn single(value: &Value) -> Result<String> {
    let list = value.as_array().context("a list expected")?;
    let one = match &list[..] {
        [Value::Array(one)] => one,
        _ => list,
    };
    let [Value::String(name), node, tensor] = &one[..] else {
        bail!("{} of them, and only one is read", list.len())
    };
    first_output(name, node, tensor)
}

/// The layer that a tensor comes from: its one output, of its one use.
///
/// # Errors
/// Another output, or another use.
pub fn first_output(name: &str, node: &Value, tensor: &Value) -> Result<String> {
    ensure!(node == 0, "{name} {node} {tensor}: only layers that are used once are read");
    ensure!(tensor == 0, "{name} {node} {tensor}: only the first output is read");
    Ok(name.to_owned())
}
