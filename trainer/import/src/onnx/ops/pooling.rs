//! The maximum and the mean over time.

use std::rc::Rc;

use anyhow::{Context as _, Result, bail, ensure};

use crate::onnx::call::Call;
use crate::onnx::context::{AxisRole, FrameInput, GraphContext};
use crate::onnx::layer_graph::{Edge, LayerNode, LayerOp, Source, TimeSpan, WHOLE};
use crate::onnx::value::{Data, Value, axis_index};
use embedded_rnn_nn::layers::{GlobalAveragePooling1D, GlobalMaxPooling1D, Kind};

/// Evaluates `ReduceMax` over time.
pub fn reduce_max(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    let (data, axis, keeps) = reduced_axis(call)?;
    Ok(vec![Value::Data(over_time(context, call, &data, axis, keeps)?)])
}

/// Evaluates `GlobalMaxPool` and `GlobalAveragePool` over time, which is the last axis.
pub fn global(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    let data = call.data(0)?;
    ensure!(data.axes.len() == 3, "{} axes, expected 3", data.axes.len());
    Ok(vec![Value::Data(over_time(context, call, &data, 2, true)?)])
}

/// Returns the data, the one axis of a reduction, and whether the result keeps it with the length 1.
///
/// # Errors
/// Several axes.
pub fn reduced_axis(call: &mut Call<'_>) -> Result<(Data, usize, bool)> {
    call.at_most(2)?;
    call.attributes.int("noop_with_empty_axes")?;
    let keeps = call.attributes.int("keepdims")?.unwrap_or(1) != 0;
    let axes = call.ints_of("axes", 1)?.unwrap_or_default();
    let data = call.data(0)?;
    let &[axis] = &axes[..] else { bail!("axes {axes:?}: only one axis is supported") };
    let axis = axis_index(axis, data.axes.len())?;
    Ok((data, axis, keeps))
}

/// Pools the outputs of a recurrent layer over their time axis.
///
/// # Errors
/// Another axis, or sequences whose lengths are an input: their outputs contain zeros behind the end.
pub fn over_time(
    context: &mut GraphContext<'_>,
    call: &Call<'_>,
    data: &Data,
    axis: usize,
    keeps: bool,
) -> Result<Data> {
    ensure!(
        context.axis_role(&data.axes[axis]) == Some(AxisRole::Time),
        "axis {axis}: {} is not the time axis of a recurrent layer",
        context.axis_name(&data.axes[axis])
    );
    ensure!(context.lengths.is_empty(), "not supported for sequences whose lengths are an input");
    let features = context.features_axis(data).context("the feature axis is unknown")?;
    let FrameInput { edge, size } = context.frame_input(data, Some(features))?;
    ensure!(edge.span != TimeSpan::Last, "a single time step");
    let kind = match call.op {
        "ReduceMax" | "GlobalMaxPool" => Kind::GlobalMaxPooling1D(GlobalMaxPooling1D::new(size)),
        _ => Kind::GlobalAveragePooling1D(GlobalAveragePooling1D::new(size)),
    };
    // The order of the frames has no effect.
    let input = Edge { source: edge.source, span: WHOLE };
    let node = LayerNode::new(&call.name, &call.origin, LayerOp::Pooling(Rc::new(kind)), input, size)?;
    let pooled = Edge { source: Source::Node(Rc::new(node)), span: TimeSpan::Last };
    let mut data = context.data_after(data, Some(features), pooled)?;
    if keeps {
        data.axes[axis].clear();
    } else {
        data.axes.remove(axis);
    }
    Ok(data)
}
