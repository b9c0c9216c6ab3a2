//! The walk over the nodes of the graph, in the order of the file; the values of all tensors, as far as they
//! are known.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail, ensure};

use super::attributes::Attributes;
use super::call::Call;
use super::context::GraphContext;
use super::layer_graph::{Edge, Source, WHOLE};
use super::ops;
use super::proto::{GraphProto, ModelProto, NodeProto, ValueInfo};
use super::tensor::element;
use super::value::{AxisFactor, Component, Data, Value};

/// The oldest supported version of the operators: before it, activations, layouts and broadcasting differ.
const OLDEST_OPSET: i64 = 7;

/// The newest version at the time of writing; changes in later versions are unknown.
const NEWEST_OPSET: i64 = 27;

/// The values of all tensors of a graph.
#[derive(Debug)]
pub struct GraphValues<'a> {
    /// The knowledge about their axes.
    pub context: GraphContext<'a>,
    /// The values by tensor name.
    pub values: BTreeMap<&'a str, Value>,
}

/// Evaluates all nodes.
///
/// # Errors
/// The first node that is not supported, by its name and operator.
pub fn evaluate<'a>(model: &ModelProto<'a>) -> Result<GraphValues<'a>> {
    let graph = &model.graph;
    let inputs = run_time_inputs(graph);
    let names = inputs.iter().map(|input| input.name).collect();
    let context = GraphContext::new(opset(model)?, model.producer, names);
    let mut tensors = GraphValues { context, values: BTreeMap::new() };
    tensors.context.only_measured = only_measured(graph, &inputs);
    tensors.constants(graph)?;
    for (number, input) in inputs.iter().enumerate() {
        tensors.input(number, input).with_context(|| format!("input {}", input.name))?;
    }
    // Control flow is checked first: it is the reason for other unsupported nodes around it.
    let numbered = graph.nodes.iter().enumerate();
    let (control, others): (Vec<_>, Vec<_>) = numbered.partition(|(_, node)| CONTROL.contains(&node.op));
    for (number, node) in control.into_iter().chain(others) {
        operator(graph, node).with_context(|| place(node, number))?;
    }
    let mut taken = BTreeSet::new();
    for (number, node) in graph.nodes.iter().enumerate() {
        let name = unique(node, number, &mut taken);
        tensors.node(graph, node, name).with_context(|| place(node, number))?;
    }
    Ok(tensors)
}

/// Returns the name of a node in error messages.
fn place(node: &NodeProto<'_>, number: usize) -> String {
    if node.name.is_empty() {
        format!("{} (node {number})", node.op)
    } else {
        format!("{}: {}", node.name, node.op)
    }
}

/// Operators that run subgraphs.
const CONTROL: &[&str] = &["If", "Loop", "Scan", "SequenceMap"];

/// Operators on numbers that the graph itself quantizes.
const QUANTIZED: &[&str] = &[
    "QuantizeLinear",
    "DynamicQuantizeLinear",
    "DynamicQuantizeLSTM",
    "DynamicQuantizeMatMul",
    "MatMulInteger",
    "ConvInteger",
    "QLinearMatMul",
    "QLinearConv",
];

/// Returns the operator of a node.
///
/// # Errors
/// An unsupported operator.
fn operator(graph: &GraphProto<'_>, node: &NodeProto<'_>) -> Result<ops::Operator> {
    ensure!(
        !QUANTIZED.contains(&node.op),
        "quantized in the graph: import the float model, and quantize it with ernn quantize"
    );
    ensure!(is_standard(node.domain), "domain {:?}: not a standard ONNX operator", node.domain);
    ensure!(!CONTROL.contains(&node.op), "control flow with subgraphs is not supported");
    let found = ops::find(node.op).filter(|_| node.op != "ArgMax" || is_end(graph, node));
    found.with_context(|| match (node.op, node.inputs.first()) {
        ("ArgMax" | "TopK", Some(input)) => {
            format!("unsupported operator; a model outputs what it selects from: --to {input}")
        }
        _ => "unsupported operator; --from and --to import the part of a graph without it".to_owned(),
    })
}

/// Returns whether the first output of a node is one of the graph, and no other node reads it.
fn is_end(graph: &GraphProto<'_>, node: &NodeProto<'_>) -> bool {
    let is_read = |output| graph.nodes.iter().any(|other| other.inputs.contains(output));
    node.outputs.first().is_some_and(|output| graph.outputs.contains(output) && !is_read(output))
}

fn opset(model: &ModelProto<'_>) -> Result<i64> {
    let standard = model.opsets.iter().filter(|(domain, _)| is_standard(domain));
    let versions: Vec<i64> = standard.map(|&(_, version)| version).collect();
    let [version] = versions[..] else {
        bail!("opset_import: {} versions of the standard operators", versions.len())
    };
    ensure!(
        (OLDEST_OPSET..=NEWEST_OPSET).contains(&version),
        "opset_import {version}: versions {OLDEST_OPSET} to {NEWEST_OPSET} are supported"
    );
    Ok(version)
}

fn is_standard(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

/// Returns the inputs that are not initializers.
fn run_time_inputs<'a>(graph: &GraphProto<'a>) -> Vec<ValueInfo<'a>> {
    let constants: BTreeSet<&str> = graph.initializers.iter().map(|tensor| tensor.name).collect();
    graph.inputs.iter().filter(|input| !constants.contains(input.name)).cloned().collect()
}

/// Returns the indices of inputs of which the graph reads the lengths of axes only.
fn only_measured(graph: &GraphProto<'_>, inputs: &[ValueInfo<'_>]) -> BTreeSet<usize> {
    let (mut measured, mut read) = (BTreeSet::new(), BTreeSet::new());
    for node in &graph.nodes {
        let by = if node.op == "Shape" { &mut measured } else { &mut read };
        by.extend(node.inputs.iter().copied());
    }
    let is_own = |input: &ValueInfo<'_>| measured.contains(input.name) && !read.contains(input.name);
    inputs.iter().enumerate().filter(|(_, input)| is_own(input)).map(|(number, _)| number).collect()
}

/// Returns a unique layer name for a node.
fn unique(node: &NodeProto<'_>, number: usize, taken: &mut BTreeSet<String>) -> String {
    let base = if node.name.is_empty() { format!("{}_{number}", node.op) } else { node.name.to_owned() };
    let others = (number..).map(|k| format!("{base}_{k}"));
    let name =
        std::iter::once(base.clone()).chain(others).find(|name| !taken.contains(name)).unwrap_or_default();
    taken.insert(name.clone());
    name
}

impl<'a> GraphValues<'a> {
    fn put(&mut self, name: &'a str, value: Value) -> Result<()> {
        ensure!(!name.is_empty(), "a tensor without a name");
        ensure!(self.values.insert(name, value).is_none(), "{name}: produced twice");
        Ok(())
    }

    fn constants(&mut self, graph: &GraphProto<'a>) -> Result<()> {
        for tensor in &graph.initializers {
            let place = || format!("initializer {}", tensor.name);
            let len = tensor.count().context("shape too large").with_context(place)?;
            self.context.spend(len).with_context(place)?;
            let value = ops::value_of(tensor.constant().with_context(place)?);
            self.put(tensor.name, value)?;
        }
        Ok(())
    }

    fn input(&mut self, number: usize, input: &ValueInfo<'a>) -> Result<()> {
        let is_known = element::is_float(input.element) || element::is_int(input.element);
        ensure!(is_known, "element type {}: only floats, INT64 and INT32 are supported", input.element);
        let shape = input.shape.as_ref().context("the shape is missing")?;
        let axes = shape.iter().enumerate().map(|(axis, &size)| {
            let name = format!("axis {axis} of input {}", input.name);
            vec![AxisFactor::Indexed(self.context.add_factor(None, size, name))]
        });
        let axes = axes.collect();
        let component = Component::Frames(Edge { source: Source::Input(number), span: WHOLE });
        let data = Data { components: vec![component], axes, ids: element::is_int(input.element) };
        self.put(input.name, Value::Data(data))
    }

    fn node(&mut self, graph: &GraphProto<'a>, node: &NodeProto<'a>, name: String) -> Result<()> {
        let operator = operator(graph, node)?;
        let resolve = |&input: &&'a str| -> Result<Option<(&'a str, Value)>> {
            if input.is_empty() {
                return Ok(None);
            }
            let value = self.values.get(input);
            let value = value.with_context(|| format!("input {input}: not produced by an earlier node"))?;
            Ok(Some((input, value.clone())))
        };
        let inputs = node.inputs.iter().map(resolve).collect::<Result<_>>()?;
        let mut call = Call {
            origin: format!("ONNX {} {}", node.op, node.name).trim_end().to_owned(),
            name,
            op: node.op,
            inputs,
            attributes: Attributes::read(&node.attributes)?,
            outputs: node.outputs.len(),
        };
        let values = operator(&mut self.context, &mut call)?;
        call.attributes.finish()?;
        for (index, &output) in node.outputs.iter().enumerate().filter(|(_, output)| !output.is_empty()) {
            let value = values.get(index);
            self.put(output, value.with_context(|| format!("output {output}: unsupported output"))?.clone())?;
        }
        Ok(())
    }
}
