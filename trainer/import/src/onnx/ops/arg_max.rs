//! `ArgMax` at the end of a graph: a model outputs the values, and the runtime selects the largest.

use anyhow::{Result, ensure};

use crate::onnx::call::Call;
use crate::onnx::context::GraphContext;
use crate::onnx::value::{Value, axis_index};

/// Leaves out an `ArgMax` over the features whose result only the graph outputs.
pub fn arg_max(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    call.only("select_last_index", 0)?;
    // The result has no axis either way.
    call.attributes.int("keepdims")?;
    let data = call.data(0)?;
    let axis = axis_index(call.attributes.int("axis")?.unwrap_or(0), data.axes.len())?;
    ensure!(
        context.features_axis(&data) == Some(axis),
        "axis {axis}: {} is not the feature axis",
        context.axis_name(&data.axes[axis])
    );
    context.notes.push(format!(
        "Left out: {}, which selects the index of the largest output; the model outputs the values, and \
         `argmax` of the runtime selects the same index",
        call.name
    ));
    Ok(vec![Value::Data(data)])
}
