//! What a layer of a Functional model reads, and the masks that Keras 3 writes out.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::graph::{Entry, first_output};
use super::options::{Options, refusal};

/// Which mask a layer is given.
#[derive(Clone, Debug, PartialEq)]
pub enum Mask {
    /// The one that comes with its input, if any.
    Unsaid,
    /// This one, or none.
    Said(Option<Made>),
}

/// How a mask is made: frames of which something is not equal to a value count.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// The layer whose output is compared.
    pub from: String,
    /// With what.
    pub value: f64,
    /// Whether any feature will do; else there are ids and no features.
    pub any: bool,
}

/// What a layer reads.
pub struct Inbound {
    /// The layer whose output it is.
    pub from: String,
    /// What it is compared with, if the layer is an operation that does so.
    constant: Option<f64>,
    /// The operation that makes the mask. `None` if nothing is said of masks.
    mask: Option<Option<String>>,
}

impl Inbound {
    /// From `inbound_nodes`.
    ///
    /// # Errors
    /// Anything but one input.
    pub fn read(nodes: Option<Value>) -> Result<Self> {
        let nodes = nodes.unwrap_or_default();
        let list = nodes.as_array().map(Vec::as_slice).unwrap_or_default();
        let [node] = list else {
            bail!("inbound_nodes: used {} times, and only layers that are used once are read", list.len());
        };
        match node {
            Value::Object(_) => Self::keras3(node.clone()),
            _ => Self::keras2(node),
        }
        .context("inbound_nodes")
    }

    fn keras2(node: &Value) -> Result<Self> {
        let inputs = node.as_array().map(Vec::as_slice).unwrap_or_default();
        let [Value::Array(input)] = inputs else { bail!("{} inputs, and only one is read", inputs.len()) };
        let (tensor, kwargs) = input.split_at(input.len().min(3));
        let from = tensor_of(tensor)?;
        let mut kwargs = Options::new(kwargs.first().cloned().unwrap_or(Value::Object(Default::default())))?;
        kwargs.off("training", "only use is read")?;
        kwargs.finish()?;
        Ok(Self { from, constant: None, mask: None })
    }

    fn keras3(node: Value) -> Result<Self> {
        let mut node = Options::new(node)?;
        let args = node.needed("args")?;
        let mut kwargs = Options::new(node.needed("kwargs")?)?;
        node.finish()?;
        let args = args.as_array().map(Vec::as_slice).unwrap_or_default();
        let (from, constant) = match args {
            [tensor @ Value::Object(_)] => (keras_tensor(tensor)?, None),
            [tensor @ Value::Object(_), Value::Number(constant)] => {
                (keras_tensor(tensor)?, constant.as_f64())
            }
            [Value::Array(inputs)] => bail!("{} inputs, and only one is read", inputs.len()),
            _ => bail!("{} inputs, and only one is read", args.len()),
        };
        kwargs.off("training", "only use is read")?;
        let mask = kwargs.take("mask").map(|mask| keras_tensor(&mask)).transpose().context("mask")?;
        kwargs.finish()?;
        Ok(Self { from, constant, mask: Some(mask) })
    }

    /// The mask that is named here.
    ///
    /// # Errors
    /// It is not made by the operations of a Masking or an Embedding.
    pub fn mask(&self, made: &HashMap<String, Made>) -> Result<Mask> {
        Ok(match &self.mask {
            None => Mask::Unsaid,
            Some(None) => Mask::Said(None),
            Some(Some(name)) => {
                let made = made
                    .get(name)
                    .with_context(|| format!("mask {name}: not made by a Masking or Embedding"))?;
                Mask::Said(Some(made.clone()))
            }
        })
    }
}

/// Takes the operations that make masks out of the layers; gives what each makes.
///
/// # Errors
/// One that does something else.
pub fn masks(layers: &mut Vec<Entry>, inbound: &HashMap<String, Inbound>) -> Result<HashMap<String, Made>> {
    let mut made = HashMap::new();
    for class in ["NotEqual", "Any"] {
        let (operations, rest): (Vec<_>, Vec<_>) =
            std::mem::take(layers).into_iter().partition(|entry| entry.class == class);
        *layers = rest;
        for mut entry in operations {
            let read = || -> Result<Made> {
                let inbound = &inbound[&entry.name];
                entry.options.only("axis", &[Value::from(-1)], "only the features are read")?;
                entry.options.off("keepdims", "not part of a mask")?;
                entry.options.ignore(&["dtype"]);
                entry.options.finish()?;
                match (inbound.constant, made.get(&inbound.from)) {
                    (Some(value), None) => Ok(Made { from: inbound.from.clone(), value, any: false }),
                    (None, Some(Made { from, value, any: false })) => {
                        Ok(Made { from: from.clone(), value: *value, any: true })
                    }
                    _ => bail!("class_name {class}: not part of a mask"),
                }
            };
            let this = read().with_context(|| entry.name.clone())?;
            made.insert(entry.name, this);
        }
    }
    Ok(made)
}

/// Of `[NAME, 0, 0]` the name.
fn tensor_of(tensor: &[Value]) -> Result<String> {
    let [Value::String(name), node, tensor] = tensor else { bail!("not an input") };
    first_output(name, node, tensor)
}

/// Of a tensor as Keras 3 writes it the layer that gives it.
fn keras_tensor(value: &Value) -> Result<String> {
    let history = value.pointer("/config/keras_history").and_then(Value::as_array);
    let history =
        history.filter(|_| value.get("class_name").is_some_and(|class| class == "__keras_tensor__"));
    tensor_of(history.ok_or_else(|| refusal("input", value, "not a layer's output"))?)
}
