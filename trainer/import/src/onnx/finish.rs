//! The end of the import: the graph output that is the network's output, the outputs that are final states,
//! and the layers on the path to them.

use std::rc::Rc;

use anyhow::{Context as _, Result, ensure};

use super::context::{FrameInput, GraphContext};
use super::graph::GraphValues;
use super::layer_graph::{Edge, LayerNode, LayerOp, LayerPath, Source, TimeSpan, WHOLE};
use super::value::{AxisFactor, Component, Data, Value};
use crate::cells::{CellKind, CellWeights, Framework, cell};
use crate::stack::{Imported, LayerStack};
use embedded_rnn_nn::activation::Activation;
use embedded_rnn_nn::export::Activations;
use embedded_rnn_nn::tensor::Matrix;

/// An output of the graph.
struct Output<'a> {
    name: &'a str,
    data: &'a Data,
}

impl Output<'_> {
    /// Returns whether it consists of nothing but final states of layers that `is_own` accepts.
    fn is_final_states(&self, is_own: &dyn Fn(&Rc<LayerNode>) -> bool) -> bool {
        self.data.components.iter().all(|part| is_state(part, is_own))
    }
}

/// Returns whether this is the final state of a recurrent layer that `is_own` accepts.
fn is_state(component: &Component, is_own: &dyn Fn(&Rc<LayerNode>) -> bool) -> bool {
    match component {
        Component::CellState(node) => is_own(node),
        Component::Frames(edge) if edge.span == TimeSpan::Last => {
            edge.node().is_some_and(|node| !node.recurrent_nodes().is_empty() && is_own(node))
        }
        Component::Group(parts) => parts.iter().all(|part| is_state(part, is_own)),
        Component::Frames(_) | Component::InputPart { .. } | Component::Waiting { .. } => false,
    }
}

/// Builds the network that ends in the outputs of the graph.
///
/// # Errors
/// Outputs or inputs that do not belong to one chain of layers.
pub fn network(tensors: GraphValues<'_>, outputs: &[&str], name: &str) -> Result<Imported> {
    let GraphValues { mut context, values } = tensors;
    let all = outputs.iter().map(|&name| match values.get(name) {
        Some(Value::Data(data)) => Ok(Output { name, data }),
        Some(_) => Err(anyhow::anyhow!("output {name}: a constant")),
        None => Err(anyhow::anyhow!("output {name}: not produced by any node")),
    });
    let all = all.collect::<Result<Vec<_>>>()?;
    let (index, edge) = main_output(&mut context, &all)?;
    let LayerPath { input, layers } = edge.path().with_context(|| format!("output {}", all[index].name))?;
    let recurrent: Vec<Rc<LayerNode>> = layers.iter().flat_map(|(node, _)| node.recurrent_nodes()).collect();
    ensure!(!recurrent.is_empty(), "output {}: no LSTM, GRU or RNN on its path", all[index].name);
    for (_, output) in all.iter().enumerate().filter(|&(other, _)| other != index) {
        let is_own = |node: &Rc<LayerNode>| recurrent.iter().any(|own| Rc::ptr_eq(own, node));
        ensure!(
            output.is_final_states(&is_own),
            "output {}: neither the output {} nor the final state of a layer on its path",
            output.name,
            all[index].name
        );
    }
    check_inputs(&context, input, &recurrent)?;
    let size = context.input_features(input).context("an input without features")?;
    let mut stack = LayerStack::default();
    let nodes: Vec<Rc<LayerNode>> = layers.iter().map(|(node, _)| node.clone()).collect();
    for (index, (node, span)) in layers.iter().enumerate() {
        let name = unique(&node.name, &stack);
        let kind = node.kind(&nodes[..index], *span).with_context(|| node.name.clone())?;
        stack.push(&name, origin(&context, node), kind)?;
    }
    Ok(Imported { notes: context.notes, ..stack.finish(name, size)? })
}

/// Returns the index and the edge of the network's output: the graph output that is not a final state, or, if
/// all are final states, the one with the longest path.
fn main_output(context: &mut GraphContext<'_>, outputs: &[Output<'_>]) -> Result<(usize, Edge)> {
    let others: Vec<usize> =
        (0..outputs.len()).filter(|&index| !outputs[index].is_final_states(&|_| true)).collect();
    if let [first, rest @ ..] = &others[..] {
        ensure!(
            rest.is_empty(),
            "outputs {} and {}: a model has one output",
            outputs[*first].name,
            rest.first().map_or("", |&index| outputs[index].name)
        );
        let output = &outputs[*first];
        return Ok((
            *first,
            edge_of(context, output.data).with_context(|| format!("output {}", output.name))?,
        ));
    }
    let mut longest: Option<(usize, Edge, usize)> = None;
    let mut reason = None;
    for (index, output) in outputs.iter().enumerate() {
        match edge_of(context, output.data).and_then(|edge| Ok((edge.path()?.layers.len(), edge))) {
            Ok((layers, edge)) if longest.as_ref().is_none_or(|(_, _, most)| layers > *most) => {
                longest = Some((index, edge, layers));
            }
            Ok(_) => {}
            Err(error) => reason = reason.or(Some(error.context(format!("output {}", output.name)))),
        }
    }
    match longest {
        Some((index, edge, _)) => Ok((index, edge)),
        None => Err(reason.unwrap_or_else(|| anyhow::anyhow!("no outputs"))),
    }
}

/// Returns the edge of an output, all features of a frame together.
fn edge_of(context: &mut GraphContext<'_>, data: &Data) -> Result<Edge> {
    let mut data = data.clone();
    // Directions on an axis before their units are features of one frame: the values come in the same order.
    let features = context.features_axis(&data);
    let directions = data.axes.iter().position(|axis| axis[..] == [AxisFactor::Components]);
    if let (Some(directions), Some(features)) = (directions, features) {
        ensure!(directions < features, "directions after their units");
        data.axes[directions].clear();
        data.axes[features].insert(0, AxisFactor::Components);
    }
    let axis = context.features_axis(&data);
    let FrameInput { edge, .. } = context.frame_input(&data, axis)?;
    if edge.span == (TimeSpan::Whole { reversed: true }) {
        in_order_of_time(context, &edge)
    } else {
        Ok(edge)
    }
}

/// Returns the frames of an edge whose last time step comes first in the order of time: a cell that copies
/// its input runs over them backwards.
fn in_order_of_time(context: &mut GraphContext<'_>, edge: &Edge) -> Result<Edge> {
    let node = edge.node().context("the input of the graph, reversed in time")?;
    context.spend((node.size * node.size).saturating_mul(2))?;
    let weights = CellWeights {
        w_ih: Matrix::identity(node.size, node.size),
        w_hh: Matrix::zeros(node.size, node.size),
        bias: None,
        recurrent_bias: None,
    };
    let activations = Activations { value: Activation::Linear, recurrent: Activation::Sigmoid };
    let cell = Rc::new(cell(CellKind::SimpleRnn, Framework::Onnx, weights, activations)?);
    let op = LayerOp::Recurrent { cell, backwards: true };
    let input = Edge { source: edge.source.clone(), span: WHOLE };
    let origin = format!("the order of time behind {}", node.name);
    let node = LayerNode::new(&format!("{}_in_time", node.name), &origin, op, input, node.size)?;
    context.notes.push(format!(
        "Added: {}, a SimpleRNN that brings the outputs, computed from the last time step to the first, into \
         the order of time",
        node.name
    ));
    Ok(Edge { source: Source::Node(Rc::new(node)), span: WHOLE })
}

/// Checks that each input is the input sequence or an initial state of these layers.
///
/// # Errors
/// The name of another input.
fn check_inputs(context: &GraphContext<'_>, sequence: usize, recurrent: &[Rc<LayerNode>]) -> Result<()> {
    let initial: Vec<_> = recurrent.iter().flat_map(|node| &node.initial).collect();
    for (number, name) in context.inputs.iter().enumerate().filter(|&(number, _)| number != sequence) {
        ensure!(
            context.only_measured.contains(&number)
                || context.lengths.contains(&number)
                || initial.iter().any(|initial| initial.input == number),
            "input {name}: neither the input sequence nor an initial state of a layer"
        );
    }
    for (k, one) in initial.iter().enumerate() {
        let name = context.inputs[one.input];
        ensure!(one.input != sequence, "input {name}: both the input sequence and an initial state");
        let twice = initial[..k].iter().any(|other| other.input == one.input && other.part == one.part);
        ensure!(!twice, "input {name}: the initial state of two layers");
    }
    Ok(())
}

/// Returns the name of a further layer: several layers may be composed of one node.
fn unique(name: &str, stack: &LayerStack) -> String {
    let is_free = |name: &String| stack.layers().iter().all(|layer| layer.name != *name);
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(is_free).unwrap_or_default()
}

/// Describes the origin of a layer, and the inputs that are its initial states.
fn origin(context: &GraphContext<'_>, node: &Rc<LayerNode>) -> String {
    let mut origin = node.origin.clone();
    for initial in node.recurrent_nodes().iter().flat_map(|node| &node.initial) {
        let part: String = initial.part.iter().map(|part| format!("[{part}]")).collect();
        origin += &format!(", {} {}{part}", initial.state, context.inputs[initial.input]);
    }
    origin
}
