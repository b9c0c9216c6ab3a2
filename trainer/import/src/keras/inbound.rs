//! The inputs of a layer in a Functional model, and its mask.
//!
//! Keras 2 writes the input of a layer as `[[NAME, 0, 0, KWARGS]]`, Keras 3 as an object of `args` and
//! `kwargs`. A mask goes from layer to layer implicitly, except in the Functional models of Keras 3: there
//! the operations that compute it, `NotEqual` and `Any`, are layers of the config, and each layer that uses
//! it refers to it.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Number, Value};

use super::dict::{ConfigDict, rejection};
use super::initial_state::is_constant;

/// The mask argument of a layer.
#[derive(Clone, Debug, PartialEq)]
pub enum MaskArg {
    /// The mask of the input, if it has one.
    Implicit,
    /// This mask, or none.
    Explicit(Option<MaskSource>),
}

/// The computation of a mask: frames that differ from a value are not masked.
#[derive(Clone, Debug, PartialEq)]
pub struct MaskSource {
    /// The layer whose output is compared.
    pub layer: String,
    /// The value.
    pub value: f64,
    /// Whether one differing feature is enough; otherwise the frames are ids.
    pub any_feature: bool,
}

/// The number in an operation on a tensor and a number.
#[derive(Clone, Copy, Debug)]
pub struct Operand {
    /// The number.
    pub value: f64,
    /// Whether it comes before the tensor: `1 - x`.
    pub is_first: bool,
}

/// The inputs of a layer.
pub struct Inbound {
    /// The layer whose output is the input.
    pub from: String,
    /// The other input, for an operation with a number.
    pub operand: Option<Operand>,
    /// The layer whose output is the other input of a sum.
    pub other: Option<String>,
    /// The index into the input, for an operation that takes a part of it.
    pub index: Option<Value>,
    /// The constant initial states of a recurrent layer.
    pub initial_state: Option<Value>,
    /// The operation that computes the mask. `None` if masks are implicit.
    mask: Option<Option<String>>,
}

impl Inbound {
    /// Reads `inbound_nodes`.
    ///
    /// # Errors
    /// Anything but one input.
    pub fn read(nodes: Option<Value>, nested: &HashSet<String>) -> Result<Self> {
        let nodes = nodes.unwrap_or_default();
        let list = nodes.as_array().map(Vec::as_slice).unwrap_or_default();
        let [node] = list else {
            bail!("inbound_nodes: used {} times, only layers that are used once are supported", list.len());
        };
        match node {
            Value::Object(_) => Self::keras3(node.clone()),
            _ => Self::keras2(node, nested),
        }
        .context("inbound_nodes")
    }

    fn keras2(node: &Value, nested: &HashSet<String>) -> Result<Self> {
        let inputs = node.as_array().map(Vec::as_slice).unwrap_or_default();
        let input = match inputs {
            [Value::Array(input)] => input,
            [Value::Array(first), Value::Array(second)] => {
                let [from, other] = [first, second].map(|tensor| match &tensor[..] {
                    [tensor @ .., Value::Object(kwargs)] if kwargs.is_empty() => layer_of(tensor, nested),
                    _ => bail!("not an input"),
                });
                let (from, other) = (from?, Some(other?));
                return Ok(Self { from, operand: None, other, index: None, initial_state: None, mask: None });
            }
            // An operator is not a layer with a list of inputs.
            [Value::String(_), ..] => inputs,
            _ => bail!("{} inputs, only one is supported", inputs.len()),
        };
        let (tensor, kwargs) = input.split_at(input.len().min(3));
        let kwargs = kwargs.first().cloned().unwrap_or(Value::Object(Default::default()));
        let mut kwargs = ConfigDict::new(kwargs)?;
        kwargs.off("training", "only inference is supported")?;
        let index = kwargs.take("slice_spec");
        let mut other = None;
        let (from, operand) = match (tensor, kwargs.take("y")) {
            ([Value::String(first), _, Value::Number(number)], Some(Value::Array(tensor)))
                if first == "_CONSTANT_VALUE" =>
            {
                (layer_of(&tensor, nested)?, number.as_f64().map(|value| Operand { value, is_first: true }))
            }
            (tensor, Some(Value::Number(number))) => {
                (layer_of(tensor, nested)?, number.as_f64().map(|value| Operand { value, is_first: false }))
            }
            (tensor, Some(Value::Array(second))) => {
                other = Some(layer_of(&second, nested)?);
                kwargs.ignore(&["name"]);
                (layer_of(tensor, nested)?, None)
            }
            (_, Some(_)) => bail!("2 inputs, only one is supported"),
            (tensor, None) => (layer_of(tensor, nested)?, None),
        };
        kwargs.finish()?;
        Ok(Self { from, operand, other, index, initial_state: None, mask: None })
    }

    fn keras3(node: Value) -> Result<Self> {
        let mut node = ConfigDict::new(node)?;
        let args = node.required("args")?;
        let mut kwargs = ConfigDict::new(node.required("kwargs")?)?;
        node.finish()?;
        let args = args.as_array().map(Vec::as_slice).unwrap_or_default();
        let number = |value: &Number, is_first| value.as_f64().map(|value| Operand { value, is_first });
        let (args, mut initial_state) = match args {
            [tensor, states] if is_constant(states) => (std::slice::from_ref(tensor), Some(states.clone())),
            _ => (args, None),
        };
        let mut other = None;
        let (tensor, operand, index) = match args {
            [Value::Array(inputs)] if inputs.len() == 2 => {
                other = Some(keras_tensor(&inputs[1])?);
                (&inputs[0], None, None)
            }
            [first @ Value::Object(_), second @ Value::Object(_)] => {
                other = Some(keras_tensor(second)?);
                (first, None, None)
            }
            [tensor @ Value::Object(_)] => (tensor, None, None),
            [tensor @ Value::Object(_), Value::Number(second)] => (tensor, number(second, false), None),
            [Value::Number(first), tensor @ Value::Object(_)] => (tensor, number(first, true), None),
            [tensor @ Value::Object(_), index @ Value::Array(_)] => (tensor, None, Some(index.clone())),
            [Value::Array(inputs)] => bail!("{} inputs, only one is supported", inputs.len()),
            _ => bail!("{} inputs, only one is supported", args.len()),
        };
        let from = keras_tensor(tensor)?;
        kwargs.off("training", "only inference is supported")?;
        let mask = kwargs.take("mask").map(|mask| keras_tensor(&mask)).transpose().context("mask")?;
        if let Some(states) = kwargs.take("initial_state") {
            ensure!(
                is_constant(&states) && initial_state.is_none(),
                rejection("initial_state", &states, "unknown")
            );
            initial_state = Some(states);
        }
        kwargs.finish()?;
        Ok(Self { from, operand, other, index, initial_state, mask: Some(mask) })
    }

    /// Returns the mask argument, given the masks that operations compute.
    ///
    /// # Errors
    /// A mask that is not computed by a Masking or an Embedding.
    pub fn mask(&self, sources: &HashMap<String, MaskSource>) -> Result<MaskArg> {
        Ok(match &self.mask {
            None => MaskArg::Implicit,
            Some(None) => MaskArg::Explicit(None),
            Some(Some(name)) => {
                let source = sources.get(name);
                let place = || format!("mask {name}: not computed by a Masking or an Embedding");
                MaskArg::Explicit(Some(source.with_context(place)?.clone()))
            }
        })
    }
}

/// Returns the name of the layer in `[NAME, 0, 0]`, or of the nested model in `[NAME, 1, 0]`: Keras 2 counts
/// its construction as a use.
///
/// # Errors
/// Another output, or another use.
pub fn layer_of(tensor: &[Value], nested: &HashSet<String>) -> Result<String> {
    let [Value::String(name), node, tensor] = tensor else { bail!("not an input") };
    let is_only_use = *node == 1 && nested.contains(name);
    ensure!(
        *node == 0 || is_only_use,
        "{name} {node} {tensor}: only layers that are used once are supported"
    );
    ensure!(tensor == 0, "{name} {node} {tensor}: only the first output is supported");
    Ok(name.to_owned())
}

/// Returns the name of the layer that produces a tensor of Keras 3.
fn keras_tensor(value: &Value) -> Result<String> {
    let history = value.pointer("/config/keras_history").and_then(Value::as_array);
    let history =
        history.filter(|_| value.get("class_name").is_some_and(|class| class == "__keras_tensor__"));
    let history = history.ok_or_else(|| rejection("input", value, "not the output of a layer"))?;
    layer_of(history, &HashSet::new())
}
