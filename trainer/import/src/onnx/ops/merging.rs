//! The merge of both directions of a bidirectional layer, elementwise.

use anyhow::{Context as _, Result, bail, ensure};

use super::pooling::{over_time, reduced_axis};
use crate::onnx::call::Call;
use crate::onnx::context::{AxisRole, GraphContext};
use crate::onnx::layer_graph::Edge;
use crate::onnx::value::{AxisFactor, Component, Data, Value};
use embedded_rnn_nn::layers::MergeMode;

/// Merges both directions of a bidirectional layer elementwise.
///
/// # Errors
/// Data of anything else.
pub fn merged(context: &mut GraphContext<'_>, a: &Data, b: &Data, merge: MergeMode) -> Result<Vec<Value>> {
    let ([Component::Frames(first), ..], [Component::Frames(second), ..]) =
        (&a.components[..], &b.components[..])
    else {
        bail!("expected two outputs of layers")
    };
    ensure!(
        a.components.len() == 1 && b.components.len() == 1,
        "directions or layers on an axis of their own"
    );
    let axis = context.common_features_axis(a, b)?;
    ensure!(axis.is_some(), "the feature axis is unknown");
    let backwards = |edge: &Edge| edge.node().is_some_and(|node| node.runs_backwards());
    let (first, second) = if backwards(first) { (second, first) } else { (first, second) };
    let edge = context.directions(first, second, merge).context("unsupported branch")?;
    Ok(vec![Value::Data(context.data_after(a, axis, edge)?)])
}

/// Evaluates `Mean` and `Sum` of two directions.
pub fn mean_or_sum(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let merge = if call.op == "Mean" { MergeMode::Ave } else { MergeMode::Sum };
    merged(context, &call.data(0)?, &call.data(1)?, merge)
}

/// Evaluates `ReduceMean` over the directions or over time, and `ReduceSum` over the directions.
pub fn reduce(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (data, axis, keeps) = reduced_axis(call)?;
    if call.op == "ReduceMean" && context.axis_role(&data.axes[axis]) == Some(AxisRole::Time) {
        return Ok(vec![Value::Data(over_time(context, call, &data, axis, keeps)?)]);
    }
    let (true, [forward, backward]) = (data.axes[axis][..] == [AxisFactor::Components], &data.components[..])
    else {
        bail!("axis {axis}: {} is not the axis of two directions", context.axis_name(&data.axes[axis]))
    };
    let mut axes = data.axes.clone();
    if keeps {
        axes[axis].clear();
    } else {
        axes.remove(axis);
    }
    let direction = |component: &Component| Data {
        components: vec![component.clone()],
        axes: axes.clone(),
        ids: data.ids,
    };
    let merge = if call.op == "ReduceMean" { MergeMode::Ave } else { MergeMode::Sum };
    merged(context, &direction(forward), &direction(backward), merge)
}
