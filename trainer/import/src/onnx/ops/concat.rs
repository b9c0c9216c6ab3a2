//! `Concat`: constants, directions, states of layers.

use anyhow::{Context as _, Result, ensure};

use super::gather::MAX_PARTS;
use super::layout::dims;
use crate::onnx::array::Array;
use crate::onnx::call::Call;
use crate::onnx::context::{AxisRole, GraphContext};
use crate::onnx::value::{AxisFactor, Component, Data, Dim, Repeated, Uniform, Value, axis_index};

/// Evaluates `Concat`.
pub fn concat(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    let axis = call.attributes.int("axis")?.context("axis: missing")?;
    let values = call.inputs.iter().map(|input| Ok(&input.as_ref().context("a missing input")?.1));
    let values = values.collect::<Result<Vec<_>>>()?;
    let first = *values.first().context("no inputs")?;
    let axis = axis_index(axis, first.rank())?;
    let is_uniform = values.iter().any(|value| matches!(value, Value::Uniform(_)));
    if is_uniform && values.iter().all(|value| value.is_zeros()) {
        return Ok(vec![zeros(context, &values, axis)?]);
    }
    Ok(vec![match first {
        Value::Floats(_) => {
            let arrays = all(&values, |value| if let Value::Floats(a) = value { Some(&**a) } else { None });
            let arrays = arrays.context("constants and other values")?;
            context.spend(arrays.iter().map(|array| array.values().len()).sum())?;
            Value::floats(Array::concatenated(&arrays, axis)?)
        }
        Value::Ints(_) => {
            let arrays = all(&values, |value| if let Value::Ints(a) = value { Some(&**a) } else { None });
            let arrays = arrays.context("integers and other values")?;
            context.spend(arrays.iter().map(|array| array.values().len() * 8).sum())?;
            Value::ints(Array::concatenated(&arrays, axis)?)
        }
        Value::Repeated(_) => {
            let all = all(&values, |value| if let Value::Repeated(own) = value { Some(own) } else { None });
            Value::Repeated(joined(context, &all.context("constants and other values")?, axis)?)
        }
        Value::Data(_) | Value::Uniform(_) => {
            let data = all(&values, |value| if let Value::Data(data) = value { Some(data) } else { None });
            Value::Data(concatenated(context, &data.context("run-time data and constants")?, axis)?)
        }
    }])
}

/// Returns the content of all values, if they are all of the selected kind.
fn all<'v, T>(values: &[&'v Value], select: impl Fn(&'v Value) -> Option<&'v T>) -> Option<Vec<&'v T>> {
    values.iter().map(|&value| select(value)).collect()
}

/// Concatenates zeros.
fn zeros(context: &GraphContext<'_>, values: &[&Value], axis: usize) -> Result<Value> {
    let mut shape = dims(context, values[0])?;
    let mut total = 0i64;
    for value in values {
        let mut own = dims(context, value)?;
        let len =
            own.get(axis).and_then(Dim::value).context("an axis whose length is known at run time only")?;
        total = total.checked_add(len).context("length too large")?;
        own[axis] = Dim::known(total);
        shape[axis] = Dim::known(total);
        ensure!(own == shape, "zeros of different axes");
    }
    Ok(Value::Uniform(Uniform { int: None, shape }))
}

/// Concatenates constants that are repeated along the same axes.
fn joined(context: &mut GraphContext<'_>, all: &[&Repeated], axis: usize) -> Result<Repeated> {
    let arrays: Vec<&Array<f32>> = all.iter().map(|repeated| repeated.array()).collect();
    context.spend(arrays.iter().map(|array| array.values().len()).sum())?;
    let array = Array::concatenated(&arrays, axis)?;
    let mut shape = all[0].shape().to_vec();
    shape[axis] = Dim::known(array.shape()[axis] as i64);
    for repeated in all {
        let is_same = |k: usize| {
            if k == axis { repeated.shape()[k].value().is_some() } else { repeated.shape()[k] == shape[k] }
        };
        ensure!((0..shape.len()).all(is_same), "constants that are repeated along different axes");
    }
    Repeated::new(array, shape)
}

/// Concatenates run-time data: directions or layers along an axis of their own, or directions as features of
/// one frame.
fn concatenated(context: &mut GraphContext<'_>, all: &[&Data], axis: usize) -> Result<Data> {
    let first = all[0];
    for other in &all[1..] {
        let same = first.axes.len() == other.axes.len()
            && (0..first.axes.len()).all(|k| k == axis || is_same_axis(context, first, k, other))
            && first.ids == other.ids;
        ensure!(same, "tensors of different axes");
    }
    if let Some(grouped) = grouped(context, all, axis)? {
        return concatenated(context, &grouped.iter().collect::<Vec<_>>(), axis);
    }
    let mut axes = first.axes.clone();
    axes[axis].retain(|&factor| factor != AxisFactor::Components);
    let own =
        |data: &Data| data.axes[axis].iter().filter(|&&factor| factor != AxisFactor::Components).count();
    let is_features = axes[axis].len() == 1
        && context.factor_role(axes[axis][0]) == Some(AxisRole::Features)
        && all.iter().all(|data| own(data) == 1 && has_same_features(context, first, data, axis));
    ensure!(
        is_features || all.iter().all(|data| own(data) == 0),
        "{}: only directions and states of layers can be concatenated",
        context.axis_name(&first.axes[axis])
    );
    ensure!(
        all.iter().all(
            |data| data.components.len() == 1 || data.axes[axis].first() == Some(&AxisFactor::Components)
        ),
        "directions or layers on different axes"
    );
    let components: Vec<Component> = all.iter().flat_map(|data| data.components.iter().cloned()).collect();
    ensure!(components.len() <= MAX_PARTS, "{} tensors: at most {MAX_PARTS} are supported", components.len());
    if components.len() > 1 {
        axes[axis].insert(0, AxisFactor::Components);
    }
    Ok(Data { components, axes, ids: first.ids })
}

/// Returns tensors whose components lie along another axis than this one, as tensors of one component each.
fn grouped(context: &mut GraphContext<'_>, all: &[&Data], axis: usize) -> Result<Option<Vec<Data>>> {
    let other = all[0].axes.iter().position(|held| held[..] == [AxisFactor::Components]);
    let count = all[0].components.len();
    let is_group = |data: &&Data| data.components.iter().any(|part| matches!(part, Component::Group(_)));
    let Some(other) = other.filter(|&other| other != axis) else { return Ok(None) };
    if all.iter().any(|data| data.components.len() != count || is_group(data)) {
        return Ok(None);
    }
    // A component takes the memory of some ten values.
    context.spend(count.saturating_mul(all.len()).saturating_mul(10))?;
    let factor = AxisFactor::Indexed(context.add_factor(None, Some(count), format!("{count} layers")));
    let group = |data: &&Data| {
        let mut axes = data.axes.clone();
        axes[other] = vec![factor];
        Data { components: vec![Component::Group(data.components.clone())], axes, ids: data.ids }
    };
    Ok(Some(all.iter().map(group).collect()))
}

/// Returns whether an axis is the same in both; features may be those of different layers of the same size.
fn is_same_axis(context: &GraphContext<'_>, a: &Data, axis: usize, b: &Data) -> bool {
    let outer = |data: &Data| data.axes[axis].split_last().map(|(_, outer)| outer.to_vec());
    a.axes[axis] == b.axes[axis] || (outer(a) == outer(b) && has_same_features(context, a, b, axis))
}

/// Returns whether the innermost factor of an axis is features of the same number in both.
fn has_same_features(context: &GraphContext<'_>, a: &Data, b: &Data, axis: usize) -> bool {
    let features = |data: &Data| {
        let &last = data.axes[axis].last()?;
        let is_features = context.factor_role(last) == Some(AxisRole::Features);
        is_features.then(|| context.factor_size(last, data)).flatten()
    };
    features(a).is_some() && features(a) == features(b)
}
