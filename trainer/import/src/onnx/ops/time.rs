//! Reversal in time, and lengths of sequences.

use anyhow::{Result, ensure};

use crate::onnx::call::Call;
use crate::onnx::context::{AxisRole, GraphContext};
use crate::onnx::layer_graph::{Edge, Source, WHOLE};
use crate::onnx::value::{Component, Data, Value, axis_index};

/// Reverses data along its time axis.
///
/// # Errors
/// An axis that is not time.
pub fn reversed(context: &mut GraphContext<'_>, data: &Data, axis: usize) -> Result<Data> {
    context.bind_role(&data.axes[axis], AxisRole::Time)?;
    ensure!(!data.axes[axis].is_empty(), "reversal along an axis of length 1");
    let reversed = |component: &Component| match component {
        Component::Waiting { input, span } => {
            Ok(Component::Waiting { input: input.clone(), span: span.reversed()? })
        }
        _ => context.edge_of(component)?.reversed().map(Component::Frames),
    };
    let components = data.components.iter().map(reversed);
    Ok(Data { components: components.collect::<Result<_>>()?, ..data.clone() })
}

/// Evaluates `ReverseSequence` over whole sequences.
pub fn reverse_sequence(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let data = call.data(0)?;
    let rank = data.axes.len();
    let batch = axis_index(call.attributes.int("batch_axis")?.unwrap_or(1), rank)?;
    let time = axis_index(call.attributes.int("time_axis")?.unwrap_or(0), rank)?;
    context.bind_role(&data.axes[batch], AxisRole::Batch)?;
    whole_length(context, call, 1, &data, time)?;
    Ok(vec![Value::Data(reversed(context, &data, time)?)])
}

/// Checks that the sequence lengths, if given, are the length of the time axis, or an input of the graph: a
/// model gets the valid time steps of a sequence only, so that the input has no effect.
///
/// # Errors
/// Other lengths.
pub fn whole_length(
    context: &mut GraphContext<'_>,
    call: &Call<'_>,
    index: usize,
    data: &Data,
    time: usize,
) -> Result<()> {
    let Some((name, value)) = call.input(index) else { return Ok(()) };
    let len = context.axis_dim(&data.axes[time], data)?;
    let is_whole = match value {
        Value::Uniform(uniform) => uniform.int == Some(len),
        Value::Ints(array) => array.values().iter().all(|dim| *dim == len),
        Value::Data(lengths) => is_lengths_input(context, lengths)?,
        Value::Floats(_) | Value::Repeated(_) => false,
    };
    ensure!(is_whole, "sequence_lens {name}: only the full length of all sequences is supported");
    Ok(())
}

/// Returns whether the lengths are an input of the graph, and notes that the model does without.
fn is_lengths_input(context: &mut GraphContext<'_>, lengths: &Data) -> Result<bool> {
    let ([Component::Frames(Edge { source: Source::Input(input), span: WHOLE })], [axis], true) =
        (&lengths.components[..], &lengths.axes[..], lengths.ids)
    else {
        return Ok(false);
    };
    context.bind_role(axis, AxisRole::Batch)?;
    if context.lengths.insert(*input) {
        let name = context.inputs[*input];
        context.notes.push(format!(
            "Left out: input {name}, the lengths of the sequences; the model gets their valid time steps only"
        ));
    }
    Ok(true)
}
