//! Operators that permute, split and merge axes.

use anyhow::{Context as _, Result, bail, ensure};

use crate::onnx::array::{Array, MAX_AXES};
use crate::onnx::call::Call;
use crate::onnx::context::GraphContext;
use crate::onnx::tensor::element;
use crate::onnx::value::{Axis, AxisFactor, Data, Dim, Uniform, Value, axis_index, map_constants};

/// Evaluates `Identity`.
pub fn identity(_: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    Ok(vec![call.value(0)?.clone()])
}

/// Evaluates `Dropout`, which has no effect in inference.
pub fn dropout(_: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(3)?;
    // The dropped share in training, and the seed of its random numbers.
    call.attributes.float("ratio")?;
    call.attributes.int("seed")?;
    if let Some(training) = call.ints(2)? {
        ensure!(training == [0], "training_mode: on");
    }
    Ok(vec![call.value(0)?.clone()])
}

/// Evaluates `Cast` between floats, or between integers.
pub fn cast(_: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    let to = call.attributes.int("to")?.context("to: missing")?;
    call.attributes.int("saturate")?;
    call.attributes.text("round_mode")?;
    let value = call.value(0)?.clone();
    Ok(vec![match value {
        // Ids may come as floats; inputs of a model are whole numbers then.
        Value::Data(data) if element::is_int(to) => Value::Data(Data { ids: true, ..data }),
        Value::Data(data) if element::is_float(to) && !data.ids => Value::Data(data),
        Value::Floats(_) | Value::Repeated(_) if element::is_float(to) => value,
        Value::Uniform(ref uniform) if uniform.int.is_none() == element::is_float(to) => value,
        Value::Ints(_) if element::is_int(to) => value,
        Value::Ints(ints) if element::is_float(to) => {
            let floats: Option<Vec<f32>> =
                ints.values().iter().map(|dim| Some(dim.value()? as f32)).collect();
            let floats = floats.context("lengths known at run time only, as floats")?;
            Value::floats(Array::new(ints.shape().to_vec(), floats)?)
        }
        _ => bail!("to {to}: only float to float and integer to integer are supported"),
    }])
}

/// Evaluates `Transpose`.
pub fn transpose(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    let value = call.value(0)?.clone();
    let order = call.attributes.ints("perm")?;
    let rank = value.rank();
    let order = match order {
        Some(order) => order.iter().map(|&axis| axis_index(axis, rank)).collect::<Result<Vec<_>>>()?,
        None => (0..rank).rev().collect(),
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    ensure!(sorted.into_iter().eq(0..rank), "perm {order:?}: not a permutation of {rank} axes");
    spend_copy(context, &value)?;
    let value: Result<Value> = map_constants!(
        value,
        array => array.transposed(&order)?,
        uniform => order.iter().map(|&axis| uniform.shape[axis].clone()).collect(),
        data => {
            let axes = order.iter().map(|&axis| data.axes[axis].clone()).collect();
            Ok(Value::Data(Data { axes, ..data }))
        }
    );
    Ok(vec![value?])
}

/// Takes the memory of a copy of a constant from the budget.
fn spend_copy(context: &mut GraphContext<'_>, value: &Value) -> Result<()> {
    match value {
        Value::Floats(array) => context.spend(array.values().len()),
        Value::Repeated(repeated) => context.spend(repeated.array().values().len()),
        Value::Ints(array) => context.spend(array.values().len() * 8),
        _ => Ok(()),
    }
}

/// Evaluates `Squeeze`.
pub fn squeeze(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let axes = call.ints_of("axes", 1)?;
    let value = call.value(0)?.clone();
    let rank = value.rank();
    let sizes: Vec<Option<i64>> = dims(context, &value)?.iter().map(Dim::value).collect();
    let removed = match axes {
        Some(axes) => axes.iter().map(|&axis| axis_index(axis, rank)).collect::<Result<Vec<_>>>()?,
        // A length that is not fixed is that of sequences or time steps, which the axis enumerates
        // whatever its length.
        None => (0..rank).filter(|&axis| sizes[axis] == Some(1)).collect(),
    };
    for &axis in &removed {
        ensure!(sizes[axis] == Some(1), "axes: axis {axis} does not have the fixed length 1");
    }
    let kept = |axis: &usize| !removed.contains(axis);
    spend_copy(context, &value)?;
    let value: Result<Value> = map_constants!(
        value,
        array => array.reshaped((0..rank).filter(kept).map(|axis| array.shape()[axis]).collect())?,
        uniform => (0..rank).filter(kept).map(|axis| uniform.shape[axis].clone()).collect(),
        data => {
            let axes = (0..rank).filter(kept).map(|axis| data.axes[axis].clone()).collect();
            Ok(Value::Data(Data { axes, ..data }))
        }
    );
    Ok(vec![value?])
}

/// Evaluates `Unsqueeze`.
pub fn unsqueeze(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let axes = call.ints_of("axes", 1)?.context("axes: missing")?;
    let value = call.value(0)?.clone();
    let rank = value.rank() + axes.len();
    ensure!(rank <= MAX_AXES, "axes: more than {MAX_AXES} in the result");
    let mut new = axes.iter().map(|&axis| axis_index(axis, rank)).collect::<Result<Vec<_>>>()?;
    new.sort_unstable();
    new.dedup();
    ensure!(new.len() == axes.len(), "axes {axes:?}: one occurs twice");
    spend_copy(context, &value)?;
    let value: Result<Value> = map_constants!(value, array => {
        let mut shape = array.shape().to_vec();
        new.iter().for_each(|&axis| shape.insert(axis, 1));
        array.reshaped(shape)?
    }, uniform => {
        let mut shape = uniform.shape.clone();
        new.iter().for_each(|&axis| shape.insert(axis, Dim::known(1)));
        shape
    }, data => {
        let mut axes = data.axes.clone();
        new.iter().for_each(|&axis| axes.insert(axis, Axis::new()));
        Ok(Value::Data(Data { axes, ..data }))
    });
    Ok(vec![value?])
}

/// Evaluates `Flatten`: two axes, of the axes before `axis` and of those from there on.
pub fn flatten(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    let data = call.data(0)?;
    let rank = data.axes.len();
    let axis = call.attributes.int("axis")?.unwrap_or(1);
    let axis = if axis == rank as i64 { rank } else { axis_index(axis, rank)? };
    let axes =
        [&data.axes[..axis], &data.axes[axis..]].map(|axes| without_ones(context, &data, axes.concat()));
    Ok(vec![Value::Data(Data { axes: axes.to_vec(), ..data })])
}

/// Evaluates `Reshape`.
pub fn reshape(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let mut shape = call.dims(1)?.context("shape: missing")?;
    ensure!(shape.len() <= MAX_AXES, "shape: too many axes");
    let zero_is_zero = call.attributes.int("allowzero")?.unwrap_or(0) != 0;
    let value = call.value(0)?.clone();
    for (axis, dim) in shape.iter_mut().enumerate().filter(|(_, dim)| dim.value() == Some(0)) {
        ensure!(!zero_is_zero, "allowzero 1: an axis of length 0");
        *dim = dims(context, &value)?
            .into_iter()
            .nth(axis)
            .context("shape: 0 for an axis that does not exist")?;
    }
    spend_copy(context, &value)?;
    let value: Result<Value> = map_constants!(
        value,
        array => array.reshaped(known_shape(&shape, array.values().len())?)?,
        uniform => inferred(&shape, &product(&uniform.shape)?)?,
        data => {
            let axes = regrouped(context, &data, &shape)?;
            Ok(Value::Data(Data { axes, ..data }))
        }
    );
    Ok(vec![value?])
}

/// Returns the lengths of the axes of a value, fixed or symbolic.
pub fn dims(context: &GraphContext<'_>, value: &Value) -> Result<Vec<Dim>> {
    let all = |shape: &[usize]| shape.iter().map(|&len| Dim::known(len as i64)).collect();
    Ok(match value {
        Value::Floats(array) => all(array.shape()),
        Value::Ints(array) => all(array.shape()),
        Value::Data(data) => {
            data.axes.iter().map(|axis| context.axis_dim(axis, data)).collect::<Result<_>>()?
        }
        Value::Uniform(uniform) => uniform.shape.clone(),
        Value::Repeated(repeated) => repeated.shape().to_vec(),
    })
}

/// Returns the shape of a constant of `len` values, one axis of which may be -1.
fn known_shape(shape: &[Dim], len: usize) -> Result<Vec<usize>> {
    let shape = inferred(shape, &Dim::known(i64::try_from(len)?))?;
    let known = shape.iter().map(|dim| dim.value().and_then(|len| usize::try_from(len).ok()));
    known.collect::<Option<_>>().context("shape: lengths known at run time only, for a constant")
}

/// Returns the shape with its -1 replaced by what remains of `total` values.
fn inferred(shape: &[Dim], total: &Dim) -> Result<Vec<Dim>> {
    let is_open = |dim: &&Dim| dim.value() == Some(-1);
    let known: Vec<Dim> = shape.iter().filter(|dim| !is_open(dim)).cloned().collect();
    let left = total.divided_by(&product(&known)?);
    let left = left.filter(|left| known.len() < shape.len() || left.value() == Some(1));
    let left = left.context("shape: of another number of values")?;
    Ok(shape.iter().map(|dim| if is_open(&dim) { left.clone() } else { dim.clone() }).collect())
}

/// Returns the number of values of this shape.
pub fn product(shape: &[Dim]) -> Result<Dim> {
    shape.iter().try_fold(Dim::known(1), |product, dim| product.times(dim))
}

/// Regroups the factors of the data, in their order, into axes of these lengths; one of them may be -1.
fn regrouped(context: &GraphContext<'_>, data: &Data, shape: &[Dim]) -> Result<Vec<Axis>> {
    let mut factors: Vec<AxisFactor> = data.axes.concat();
    let open = shape.iter().position(|dim| dim.value() == Some(-1));
    let before = &shape[..open.unwrap_or(shape.len())];
    let after = open.map_or(&[][..], |open| &shape[open + 1..]);
    let mut axes = Vec::new();
    for dim in before {
        axes.push(take_axis(context, data, &mut factors, dim)?);
    }
    factors.reverse();
    let mut last = Vec::new();
    for dim in after.iter().rev() {
        let mut axis = take_axis(context, data, &mut factors, dim)?;
        axis.reverse();
        last.push(axis);
    }
    factors.reverse();
    let left = without_ones(context, data, factors);
    match open {
        Some(_) => axes.push(left),
        None => ensure!(
            context.axis_size(&left, data) == Some(1),
            "shape: leaves out {}",
            context.axis_name(&left)
        ),
    }
    last.reverse();
    axes.extend(last);
    Ok(axes)
}

/// Takes as many factors from the front as make an axis of length `dim`.
fn take_axis(
    context: &GraphContext<'_>,
    data: &Data,
    factors: &mut Vec<AxisFactor>,
    dim: &Dim,
) -> Result<Axis> {
    let mut axis = Axis::new();
    let mut length = Dim::known(1);
    let is_one = |factor: &AxisFactor| context.factor_size(*factor, data) == Some(1);
    if dim.value() == Some(1) && factors.first().is_some_and(is_one) {
        return Ok(vec![factors.remove(0)]);
    }
    while length != *dim {
        ensure!(!factors.is_empty(), "shape: splits {}", context.axis_name(&axis));
        let factor = factors.remove(0);
        length = length.times(&context.factor_dim(factor, data))?;
        axis.push(factor);
    }
    Ok(without_ones(context, data, axis))
}

/// Removes factors of length 1 from an axis of several factors.
fn without_ones(context: &GraphContext<'_>, data: &Data, mut axis: Axis) -> Axis {
    if axis.len() > 1 {
        axis.retain(|&factor| context.factor_size(factor, data) != Some(1));
    }
    axis
}
