//! The number of axes of a tensor inside the graph. Not every exporter writes it.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};

use super::attributes::Attributes;
use super::proto::{GraphProto, NodeProto, ValueInfo};
use super::tensor::element;

/// Operators whose first output has as many axes as their run-time data.
const SAME_AXES: &[&str] = &[
    "Identity",
    "Dropout",
    "Cast",
    "MatMul",
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Neg",
    "BatchNormalization",
    "LayerNormalization",
    "Relu",
    "LeakyRelu",
    "PRelu",
    "Elu",
    "Selu",
    "Clip",
    "Tanh",
    "Sigmoid",
];

/// Returns the type of a tensor: what the file states, or else floats whose axes follow from the nodes that
/// read them, with lengths that are not fixed.
///
/// # Errors
/// A number of axes that is unknown.
pub fn value_info<'a>(graph: &GraphProto<'a>, name: &'a str) -> Result<ValueInfo<'a>> {
    let stated = graph.types.iter().filter_map(|bytes| ValueInfo::read(bytes).ok());
    if let Some(info) = { stated }.find(|info| info.name == name && info.shape.is_some()) {
        return Ok(info);
    }
    let rank = rank(&graph.nodes, name).with_context(|| {
        format!(
            "--from {name}: the file does not state its shape; infer_shapes of the Python package onnx adds \
             the shapes of all tensors"
        )
    })?;
    Ok(ValueInfo { name, element: element::FLOAT, shape: Some(vec![None; rank]) })
}

/// Returns the number of axes that the first operator requires which reads this tensor, if need be behind
/// operators that keep the axes.
fn rank(nodes: &[NodeProto<'_>], name: &str) -> Option<usize> {
    let mut same = BTreeSet::from([name]);
    for node in nodes.iter().filter(|node| !node.outputs.is_empty()) {
        if !node.inputs.iter().any(|input| same.contains(input)) {
            continue;
        }
        match node.op {
            "LSTM" | "GRU" | "RNN" => return Some(3),
            "Gemm" => return Some(2),
            "Transpose" => {
                let order = Attributes::read(&node.attributes).ok()?.ints("perm").ok()?;
                return order.map(|order| order.len());
            }
            op if SAME_AXES.contains(&op) => {
                same.insert(node.outputs[0]);
            }
            _ => {}
        }
    }
    None
}
