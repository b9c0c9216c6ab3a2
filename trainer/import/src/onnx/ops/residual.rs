//! Residual connections: the sum of two outputs on one path.

use std::rc::Rc;

use anyhow::{Context as _, Result, ensure};

use crate::onnx::call::Call;
use crate::onnx::context::GraphContext;
use crate::onnx::layer_graph::{Edge, LayerNode, LayerOp, Source, WHOLE};
use crate::onnx::value::{Component, Data, Value};

/// Adds two tensors of frames, of which one is computed from the other; `None` if they are anything else.
///
/// # Errors
/// Different shapes.
pub fn sum(context: &mut GraphContext<'_>, call: &Call<'_>, a: &Data, b: &Data) -> Result<Option<Value>> {
    let ([Component::Frames(first)], [Component::Frames(second)]) = (&a.components[..], &b.components[..])
    else {
        return Ok(None);
    };
    let (later, earlier) = match (is_computed_from(first, second), is_computed_from(second, first)) {
        (true, _) => (first, second),
        (_, true) => (second, first),
        _ => return Ok(None),
    };
    let axis = context.common_features_axis(a, b)?.context("the feature axis is unknown")?;
    let [size, other] = [a, b].map(|data| context.axis_size(&data.axes[axis], data));
    let size = size.context("features whose number is not fixed")?;
    ensure!(other == Some(size), "tensors of different features");
    ensure!(later.span == WHOLE && earlier.span == WHOLE, "the sum of frames in another order of time");
    let op = LayerOp::Residual { earlier: earlier.source.clone() };
    let node = LayerNode::new(&call.name, &call.origin, op, later.clone(), size)?;
    let edge = Edge { source: Source::Node(Rc::new(node)), span: WHOLE };
    Ok(Some(Value::Data(context.data_after(a, Some(axis), edge)?)))
}

/// Returns whether the path of an edge goes through another edge, all frames of it in order.
fn is_computed_from(later: &Edge, earlier: &Edge) -> bool {
    let mut edge = later;
    while let Source::Node(node) = &edge.source {
        edge = &node.input;
        if edge.source.is(&earlier.source) {
            return true;
        }
    }
    false
}
