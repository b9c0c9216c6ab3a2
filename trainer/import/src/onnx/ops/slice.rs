//! `Slice` and `Split`: ranges along an axis.

use anyhow::{Context as _, Result, bail, ensure};

use super::gather::{at_index, input_parts, is_input};
use super::layout::dims;
use super::time::reversed;
use crate::onnx::call::Call;
use crate::onnx::context::{AxisRole, GraphContext};
use crate::onnx::value::{AxisFactor, Component, Data, Dim, Uniform, Value, axis_index, map_constants};
use crate::onnx::waiting::LayerName;

/// The longest axis whose indices are listed.
const MAX_LENGTH: usize = 1 << 20;

/// The bound from which on exporters mean "to the end": they write the largest integer of 32 or 64 bits, or
/// nearly that.
const FAR: i64 = i32::MAX as i64 - 1;

/// A range along an axis, as ONNX defines it: bounds below zero count from the end.
#[derive(Clone, Debug)]
struct SliceRange {
    start: Dim,
    end: Dim,
    step: i64,
}

impl SliceRange {
    /// Returns the indices along an axis of `len`.
    fn indices(&self, len: usize) -> Result<Vec<usize>> {
        let known = |dim: &Dim| dim.value().context("a range between lengths known at run time only");
        let (len, step) = (len as i64, self.step);
        ensure!(step != 0, "steps 0");
        let from_start = |index: i64| if index < 0 { index.saturating_add(len) } else { index };
        let (start, end) = (from_start(known(&self.start)?), from_start(known(&self.end)?));
        let (start, end) = if step > 0 {
            (start.clamp(0, len), end.clamp(0, len))
        } else {
            (start.clamp(-1, len - 1), end.clamp(-1, len - 1))
        };
        let is_inside = |index: i64| if step > 0 { index < end } else { index > end };
        let next = |index: &i64| index.checked_add(step).filter(|&next| is_inside(next));
        let first = Some(start).filter(|&start| is_inside(start));
        Ok(std::iter::successors(first, next).map(|index| index as usize).collect())
    }

    /// Returns whether the range ends at the end of an axis of this length.
    fn reaches_end(&self, len: &Dim) -> bool {
        let is_beyond = |end| end >= FAR || len.value().is_some_and(|len| end >= len);
        self.end == *len || self.end.value().is_some_and(is_beyond)
    }

    /// Returns whether this is the whole axis from its last index to its first.
    fn is_reversal(&self, size: Option<usize>) -> bool {
        let from_last = self.start.value().is_some_and(|start| start == -1 || start >= FAR);
        let is_before_first = |end| end <= -FAR || size.is_some_and(|size| end < -(size as i64));
        self.step == -1 && from_last && self.end.value().is_some_and(is_before_first)
    }
}

/// Evaluates `Slice`.
pub fn slice(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(5)?;
    let known = |ints: Vec<i64>| ints.into_iter().map(Dim::known).collect::<Vec<_>>();
    let (starts, ends) = if context.opset < 10 {
        (call.attributes.ints("starts")?.map(known), call.attributes.ints("ends")?.map(known))
    } else {
        (call.dims(1)?, call.dims(2)?)
    };
    let (starts, ends) = (starts.context("starts: missing")?, ends.context("ends: missing")?);
    let axes = call.ints_of("axes", 3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = call.ints(4)?.unwrap_or_else(|| vec![1; starts.len()]);
    let lens = [starts.len(), ends.len(), axes.len(), steps.len()];
    ensure!(lens.iter().all(|&len| len == axes.len()), "starts, ends, axes and steps of {lens:?} values");
    let mut value = call.value(0)?.clone();
    let name = LayerName::of(call);
    for (((start, end), axis), step) in starts.into_iter().zip(ends).zip(axes).zip(steps) {
        let axis = axis_index(axis, value.rank())?;
        value = sliced(context, &name, &value, axis, &SliceRange { start, end, step })?;
    }
    Ok(vec![value])
}

/// Evaluates `Split`: consecutive ranges.
pub fn split(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let axis = call.attributes.int("axis")?.unwrap_or(0);
    call.attributes.int("num_outputs")?;
    let lens = call.ints_of("split", 1)?;
    let value = call.value(0)?.clone();
    let axis = axis_index(axis, value.rank())?;
    let len =
        dims(context, &value)?[axis].value().context("an axis whose length is known at run time only")?;
    // Without lengths all ranges but the last are equally long.
    let each = (len as u64).div_ceil(call.outputs.max(1) as u64) as i64;
    let lens = lens.unwrap_or_else(|| {
        (0..call.outputs as i64).map(|k| each.min(len - each.saturating_mul(k))).collect()
    });
    ensure!(
        lens.len() == call.outputs && lens.iter().all(|&len| len > 0) && lens.iter().sum::<i64>() == len,
        "split {lens:?} of {len}"
    );
    let mut start = 0;
    let mut parts = Vec::new();
    let name = LayerName::of(call);
    for len in lens {
        let range = SliceRange { start: Dim::known(start), end: Dim::known(start + len), step: 1 };
        parts.push(sliced(context, &name, &value, axis, &range)?);
        start += len;
    }
    Ok(parts)
}

/// Returns a range of a value along an axis.
fn sliced(
    context: &mut GraphContext<'_>,
    name: &LayerName,
    value: &Value,
    axis: usize,
    range: &SliceRange,
) -> Result<Value> {
    let len = dims(context, value)?[axis].clone();
    if range.step == 1 && range.start.value() == Some(0) && range.reaches_end(&len) {
        return Ok(value.clone());
    }
    map_constants!(value.clone(), array => {
        let indices = range.indices(array.shape()[axis])?;
        context.spend(array.values().len())?;
        array.taken(axis, &indices)?
    }, uniform => {
        let len = len.value().and_then(|len| usize::try_from(len).ok());
        let len = len.context("a range of an axis whose length is known at run time only")?;
        ensure!(len <= MAX_LENGTH, "a range of {len} zeros");
        let mut shape = uniform.shape.clone();
        shape[axis] = Dim::known(range.indices(len)?.len() as i64);
        shape
    }, data => {
        let features = context.axis_role(&data.axes[axis]) == Some(AxisRole::Features);
        let size = context.axis_size(&data.axes[axis], &data).filter(|&size| size <= MAX_LENGTH);
        Ok(Value::Data(match size {
            Some(size) if features => {
                context.selected_features(name, &data, axis, &range.indices(size)?)?
            }
            _ => sliced_data(context, &data, axis, range, &len)?,
        }))
    })
}

/// Returns a range of run-time data: directions or layers, the sequence reversed in time, or one step.
fn sliced_data(
    context: &mut GraphContext<'_>,
    data: &Data,
    axis: usize,
    range: &SliceRange,
    len: &Dim,
) -> Result<Data> {
    let held = &data.axes[axis];
    let size = context.axis_size(held, data);
    let indices = size.filter(|&size| size <= MAX_LENGTH).map(|size| range.indices(size)).transpose()?;
    match held[..] {
        [AxisFactor::Components, units] => {
            return one_direction(context, data, axis, units, indices.as_deref());
        }
        [AxisFactor::Components] => {
            return selected(context, data, axis, &data.components, indices.as_deref());
        }
        _ if range.is_reversal(size) => return reversed(context, data, axis),
        _ => {}
    }
    if let [input] = &data.components[..]
        && is_input(input)
        && context.axis_role(held) != Some(AxisRole::Time)
    {
        let size = size.with_context(|| unknown_length(context, data, axis))?;
        let parts = input_parts(input, size)?;
        return selected(context, data, axis, &parts, indices.as_deref());
    }
    let start = range.start.value().context("a range from a length known at run time only")?;
    let step = match (start, range.end.value(), indices.as_deref()) {
        (_, _, Some(&[index])) => index as i64,
        (-1, _, _) if range.step == 1 && range.reaches_end(len) => -1,
        (0, Some(1), _) if range.step == 1 => 0,
        _ => bail!("a range of {}: only one step or all steps are supported", context.axis_name(held)),
    };
    at_index(context, data, axis, step)
}

/// Returns one direction of a bidirectional layer whose directions are concatenated as features.
fn one_direction(
    context: &GraphContext<'_>,
    data: &Data,
    axis: usize,
    units: AxisFactor,
    indices: Option<&[usize]>,
) -> Result<Data> {
    let units = context.factor_size(units, data).context("directions whose length is not fixed")?;
    let is_direction =
        |k: &usize| indices.is_some_and(|all| all.iter().copied().eq(k * units..(k + 1) * units));
    let direction = (0..data.components.len()).find(is_direction);
    let direction = direction.context("features other than those of one direction")?;
    let mut axes = data.axes.clone();
    axes[axis].remove(0);
    Ok(Data { components: vec![data.components[direction].clone()], axes, ids: data.ids })
}

/// Returns the data with those of the components that are selected along an axis.
fn selected(
    context: &GraphContext<'_>,
    data: &Data,
    axis: usize,
    components: &[Component],
    indices: Option<&[usize]>,
) -> Result<Data> {
    let indices = indices.with_context(|| unknown_length(context, data, axis))?;
    ensure!(!indices.is_empty(), "an empty range of {}", context.axis_name(&data.axes[axis]));
    let mut axes = data.axes.clone();
    axes[axis] = if indices.len() == 1 { Vec::new() } else { vec![AxisFactor::Components] };
    let is_other = |(k, held): (usize, &Vec<AxisFactor>)| k != axis && held.contains(&AxisFactor::Components);
    ensure!(!data.axes.iter().enumerate().any(is_other), "parts of several axes at once");
    let components = indices.iter().map(|&index| components[index].clone()).collect();
    Ok(Data { components, axes, ids: data.ids })
}

fn unknown_length(context: &GraphContext<'_>, data: &Data, axis: usize) -> String {
    format!("a part of {}, whose length is not fixed", context.axis_name(&data.axes[axis]))
}
