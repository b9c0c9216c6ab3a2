//! One layer of the config.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::dict::{ConfigDict, rejection};
use super::inbound::{MaskArg, Operand};

/// The modules of layers, of models and of operations.
const MODULES: [&str; 6] = [
    "keras",
    "keras.layers",
    "tf_keras.layers",
    "keras.src.layers.core.tf_op_layer",
    "keras.src.ops.numpy",
    "keras.src.ops.operation",
];

/// A model whose layers form a chain.
pub struct LayerChain {
    /// The name of the model.
    pub name: String,
    /// The input of the model.
    pub input: InputSpec,
    /// The layers after the input, in the order of the config.
    pub layers: Vec<LayerConfig>,
    /// The indices of the layers, from the input to the output.
    pub order: Vec<usize>,
}

impl LayerChain {
    /// Returns the class of the first layer, which may be inside a nested model.
    pub fn first_class(&self) -> &str {
        let Some(layer) = self.order.first().and_then(|&first| self.layers.get(first)) else { return "" };
        layer.nested.as_ref().map_or(&layer.class, |nested| nested.first_class())
    }
}

/// A layer of the config.
pub struct LayerConfig {
    /// The class.
    pub class: String,
    /// Whether it is an operation of Keras 3, which no file of weights mentions.
    pub is_operation: bool,
    /// The name.
    pub name: String,
    /// The options.
    pub options: ConfigDict,
    /// The layer whose output it reads, in a Functional model.
    pub from: String,
    /// The mask argument.
    pub mask: MaskArg,
    /// The layers of a nested Sequential model, after the model has read them.
    pub nested: Option<Box<LayerChain>>,
    /// The number, for an operation with a number.
    pub operand: Option<Operand>,
    /// The earlier layer whose output a sum reads, too.
    pub other: Option<String>,
    /// The index into the output of the layer that it reads, for an operation that takes a part of it.
    pub index: Option<Value>,
    /// The constant initial states of a recurrent layer.
    pub initial_state: Option<Value>,
    /// Whether no layer reads its states, which only a Functional model determines.
    pub states_unused: bool,
    /// The inputs, until the model reads them.
    pub inbound_nodes: Option<Value>,
}

/// The input of a model.
#[derive(Clone, Debug, Default)]
pub struct InputSpec {
    /// The name of the layer; empty if there is none.
    pub name: String,
    /// The lengths of the axes after that of the batch, where they are fixed.
    pub shape: Vec<Option<usize>>,
    /// The dtype.
    pub dtype: String,
}

impl LayerConfig {
    /// Reads a layer of a model.
    ///
    /// # Errors
    /// Anything but a layer of Keras.
    pub fn read(layer: Value) -> Result<Self> {
        let mut outer = ConfigDict::new(layer)?;
        let class = outer.string("class_name")?;
        let module = outer.clone().take("module");
        let is_operation = module
            .as_ref()
            .and_then(Value::as_str)
            .is_some_and(|module| module.starts_with("keras.src.ops."));
        let mut options = ConfigDict::new(outer.required("config")?)?;
        // Operations of Keras 3.0 have it outside only.
        let name = if options.has("name") { options.string("name") } else { outer.string("name") }?;
        let inbound_nodes =
            inbound_nodes(outer, &class, &name).with_context(|| format!("{name}: class_name {class}"))?;
        Ok(Self {
            class,
            is_operation,
            name,
            options,
            from: String::new(),
            mask: MaskArg::Implicit,
            nested: None,
            operand: None,
            other: None,
            index: None,
            initial_state: None,
            states_unused: false,
            inbound_nodes,
        })
    }

    /// Reads a layer inside another one.
    ///
    /// # Errors
    /// Anything but a layer of Keras.
    pub fn inside(layer: Value) -> Result<Self> {
        let mut layer = Self::read(layer)?;
        // Keras 2 stores here what the user passed as its input_shape; the outer layer has the input.
        layer.options.ignore(&["batch_input_shape"]);
        Ok(layer)
    }

    /// Reads an `InputLayer`.
    ///
    /// # Errors
    /// An input that is not dense.
    pub fn input(mut self) -> Result<InputSpec> {
        let read = |options: &mut ConfigDict| -> Result<InputSpec> {
            let shape = options.take("batch_input_shape").or_else(|| options.take("batch_shape"));
            let shape = axes("batch_shape", &shape.context("batch_shape: missing")?)?;
            let dtype = options.string("dtype")?;
            for key in ["sparse", "ragged", "optional"] {
                options.off(key, "only dense input is supported")?;
            }
            Ok(InputSpec { name: self.name.clone(), shape, dtype })
        };
        let input = read(&mut self.options).and_then(|input| self.options.finish().map(|()| input));
        input.with_context(|| self.name)
    }
}

/// Checks the keys of a layer next to its config, and returns its inputs.
fn inbound_nodes(mut outer: ConfigDict, class: &str, name: &str) -> Result<Option<Value>> {
    ensure!(!["Functional", "Model"].contains(&class), "only Sequential models can be nested");
    outer.only("module", &MODULES.map(Value::from), "only layers of Keras are supported")?;
    outer.only("registered_name", &[Value::from(class)], "only layers of Keras are supported")?;
    outer.only("name", &[Value::from(name)], "differs from the name in its config")?;
    outer.ignore(&["build_config", "compile_config", "shared_object_id"]);
    let inbound_nodes = outer.take("inbound_nodes");
    outer.finish()?;
    Ok(inbound_nodes)
}

/// Returns the lengths of the axes after that of the batch.
///
/// # Errors
/// Anything but a list of lengths.
pub fn axes(key: &str, shape: &Value) -> Result<Vec<Option<usize>>> {
    let axis = |value: &Value| match value.as_u64() {
        Some(length) => usize::try_from(length).ok().map(Some),
        None => value.is_null().then_some(None),
    };
    let all = shape.as_array().and_then(|axes| axes.iter().map(axis).collect::<Option<Vec<_>>>());
    let all = all.filter(|axes| !axes.is_empty());
    Ok(all.ok_or_else(|| rejection(key, shape, "expected a list of lengths"))?.split_off(1))
}
