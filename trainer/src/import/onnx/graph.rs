//! From a graph to a chain of layers: node by node, each tensor as far as it is known.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail, ensure};

use super::attributes::Attributes;
use super::call::Call;
use super::chain::{ALWAYS, From, Link};
use super::context::Context;
use super::ops;
use super::proto::{Graph, Input, Model, Node};
use super::tensor::element;
use super::value::{Atom, Data, Part, Value};

/// First version of the operators that is read: activations, layouts and broadcasting were others before.
const OLDEST_OPSET: i64 = 7;

/// The newest version that this was written by; what a later one changes is not known.
const NEWEST_OPSET: i64 = 27;

/// All tensors of a graph.
#[derive(Debug)]
pub struct Tensors<'a> {
    /// What is known beside them.
    pub context: Context<'a>,
    /// By their names.
    pub values: BTreeMap<&'a str, Value>,
}

/// Goes through all nodes.
pub fn run<'a>(model: &Model<'a>) -> Result<Tensors<'a>> {
    let graph = &model.graph;
    let given = given(graph);
    let names = given.iter().map(|input| input.name).collect();
    let mut tensors = Tensors { context: Context::new(opset(model)?, names), values: BTreeMap::new() };
    tensors.constants(graph)?;
    for (number, input) in given.iter().enumerate() {
        tensors.input(number, input).with_context(|| format!("input {}", input.name))?;
    }
    // Control flow first: nodes around it that are not read either are there because of it.
    let numbered = graph.nodes.iter().enumerate();
    let (control, others): (Vec<_>, Vec<_>) = numbered.partition(|(_, node)| CONTROL.contains(&node.op));
    for (number, node) in control.into_iter().chain(others) {
        known(node).with_context(|| place(node, number))?;
    }
    let mut taken = BTreeSet::new();
    for (number, node) in graph.nodes.iter().enumerate() {
        let name = unique(node, number, &mut taken);
        tensors.node(node, name).with_context(|| place(node, number))?;
    }
    Ok(tensors)
}

/// How an error calls a node.
fn place(node: &Node<'_>, number: usize) -> String {
    if node.name.is_empty() {
        format!("{} (node {number})", node.op)
    } else {
        format!("{}: {}", node.name, node.op)
    }
}

/// What runs other graphs.
const CONTROL: &[&str] = &["If", "Loop", "Scan", "SequenceMap"];

/// The operator of a node.
fn known(node: &Node<'_>) -> Result<ops::Op> {
    ensure!(is_own(node.domain), "domain {:?}: not an operator of ONNX's own", node.domain);
    ensure!(!CONTROL.contains(&node.op), "runs a graph inside the graph, which is not read");
    ops::find(node.op).context("not an operator that is read")
}

fn opset(model: &Model<'_>) -> Result<i64> {
    let own = model.opsets.iter().filter(|(domain, _)| is_own(domain));
    let versions: Vec<i64> = own.map(|&(_, version)| version).collect();
    let [version] = versions[..] else {
        bail!("opset_import: {} versions of ONNX's operators", versions.len())
    };
    ensure!(
        (OLDEST_OPSET..=NEWEST_OPSET).contains(&version),
        "opset_import {version}: versions {OLDEST_OPSET} to {NEWEST_OPSET} are read"
    );
    Ok(version)
}

fn is_own(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

/// The inputs that are not given by the file itself.
fn given<'a>(graph: &Graph<'a>) -> Vec<Input<'a>> {
    let constants: BTreeSet<&str> = graph.initializers.iter().map(|tensor| tensor.name).collect();
    graph.inputs.iter().filter(|input| !constants.contains(input.name)).cloned().collect()
}

/// What a layer made of this node is called.
fn unique(node: &Node<'_>, number: usize, taken: &mut BTreeSet<String>) -> String {
    let plain = if node.name.is_empty() { format!("{}_{number}", node.op) } else { node.name.to_owned() };
    let others = (number..).map(|k| format!("{plain}_{k}"));
    let name =
        std::iter::once(plain.clone()).chain(others).find(|name| !taken.contains(name)).unwrap_or_default();
    taken.insert(name.clone());
    name
}

impl<'a> Tensors<'a> {
    fn put(&mut self, name: &'a str, value: Value) -> Result<()> {
        ensure!(!name.is_empty(), "a tensor without a name");
        ensure!(self.values.insert(name, value).is_none(), "{name}: made twice");
        Ok(())
    }

    fn constants(&mut self, graph: &Graph<'a>) -> Result<()> {
        for tensor in &graph.initializers {
            let place = || format!("initializer {}", tensor.name);
            let len = tensor.count().context("a shape beyond all memory").with_context(place)?;
            self.context.spend(len).with_context(place)?;
            let value = ops::value_of(tensor.constant().with_context(place)?);
            self.put(tensor.name, value)?;
        }
        Ok(())
    }

    fn input(&mut self, number: usize, input: &Input<'a>) -> Result<()> {
        let is_known = element::is_float(input.element) || element::is_int(input.element);
        ensure!(is_known, "of type {}: neither floats nor INT64 or INT32", input.element);
        let shape = input.shape.as_ref().context("a shape that is not given")?;
        let axes = shape.iter().enumerate().map(|(axis, &size)| {
            let name = format!("axis {axis} of input {}", input.name);
            vec![Atom::Numbered(self.context.atom(None, size, name))]
        });
        let axes = axes.collect();
        let part = Part::Made(Link { from: From::Input(number), when: ALWAYS });
        let data = Data { parts: vec![part], axes, ids: element::is_int(input.element) };
        self.put(input.name, Value::Data(data))
    }

    fn node(&mut self, node: &Node<'a>, name: String) -> Result<()> {
        let op = known(node)?;
        let of = |&input: &&'a str| -> Result<Option<(&'a str, Value)>> {
            if input.is_empty() {
                return Ok(None);
            }
            let value = self.values.get(input);
            let value =
                value.with_context(|| format!("input {input}: not made by a node before this one"))?;
            Ok(Some((input, value.clone())))
        };
        let inputs = node.inputs.iter().map(of).collect::<Result<_>>()?;
        let mut call = Call {
            origin: format!("ONNX {} {}", node.op, node.name).trim_end().to_owned(),
            name,
            op: node.op,
            inputs,
            attributes: Attributes::read(&node.attributes)?,
            outputs: node.outputs.len(),
        };
        let values = op(&mut self.context, &mut call)?;
        call.attributes.finish()?;
        for (place, &output) in node.outputs.iter().enumerate().filter(|(_, output)| !output.is_empty()) {
            let value = values.get(place);
            self.put(
                output,
                value.with_context(|| format!("output {output}: not one that is read"))?.clone(),
            )?;
        }
        Ok(())
    }
}
