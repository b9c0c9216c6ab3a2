//! Turning sequences, and their lengths.

use anyhow::{Result, ensure};

use crate::import::onnx::call::Call;
use crate::import::onnx::context::{Context, Role};
use crate::import::onnx::value::{Data, Part, Value, axis_of};

/// The other way round along the axis of time.
pub fn turned(context: &mut Context<'_>, data: &Data, axis: usize) -> Result<Data> {
    context.bind(&data.axes[axis], Role::Time)?;
    ensure!(!data.axes[axis].is_empty(), "turned along an axis of length 1");
    let parts = data.parts.iter().map(|part| context.made(part)?.turned().map(Part::Made));
    Ok(Data { parts: parts.collect::<Result<_>>()?, ..data.clone() })
}

/// `ReverseSequence` over whole sequences.
pub fn reverse_sequence(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let data = call.data(0)?;
    let rank = data.axes.len();
    let batch = axis_of(call.attributes.int("batch_axis")?.unwrap_or(1), rank)?;
    let time = axis_of(call.attributes.int("time_axis")?.unwrap_or(0), rank)?;
    context.bind(&data.axes[batch], Role::Batch)?;
    whole_length(context, call, 1, &data, time)?;
    Ok(vec![Value::Data(turned(context, &data, time)?)])
}

/// Refuses lengths of sequences, if they are given, that are not that of the axis of time.
pub fn whole_length(
    context: &Context<'_>,
    call: &Call<'_>,
    place: usize,
    data: &Data,
    time: usize,
) -> Result<()> {
    let Some((name, value)) = call.given(place) else { return Ok(()) };
    let len = context.axis_dim(&data.axes[time], data)?;
    let is_whole = match value {
        Value::Same(same) => same.int == Some(len),
        Value::Ints(array) => array.values().iter().all(|dim| *dim == len),
        _ => false,
    };
    ensure!(is_whole, "sequence_lens {name}: not the length of all sequences");
    Ok(())
}
