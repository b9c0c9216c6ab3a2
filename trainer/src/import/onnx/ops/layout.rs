//! Operators that move axes about.

use anyhow::{Context as _, Result, bail, ensure};

use crate::import::onnx::array::MOST_AXES;
use crate::import::onnx::call::Call;
use crate::import::onnx::context::Context;
use crate::import::onnx::tensor::element;
use crate::import::onnx::value::{Atom, Axis, Data, Dim, Same, Value, axis_of, on_constants};

/// Gives what it takes.
pub fn identity(_: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    Ok(vec![call.value(0)?.clone()])
}

/// `Dropout`, which does nothing in use.
pub fn dropout(_: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(3)?;
    // What share is left out in training, and by which random numbers.
    call.attributes.float("ratio")?;
    call.attributes.int("seed")?;
    if let Some(training) = call.ints(2)? {
        ensure!(training == [0], "training_mode: on");
    }
    Ok(vec![call.value(0)?.clone()])
}

/// `Cast` between floats, or between integers.
pub fn cast(_: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    let to = call.attributes.int("to")?.context("to: not given")?;
    call.attributes.int("saturate")?;
    call.attributes.text("round_mode")?;
    let value = call.value(0)?.clone();
    Ok(vec![match value {
        // Ids can be given as floats: what a model takes is whole then.
        Value::Data(data) if element::is_int(to) => Value::Data(Data { ids: true, ..data }),
        Value::Data(data) if element::is_float(to) && !data.ids => Value::Data(data),
        Value::Floats(_) if element::is_float(to) => value,
        Value::Same(ref same) if same.int.is_none() == element::is_float(to) => value,
        Value::Ints(_) if element::is_int(to) => value,
        Value::Ints(ints) if element::is_float(to) => {
            let floats: Option<Vec<f32>> =
                ints.values().iter().map(|dim| Some(dim.value()? as f32)).collect();
            let floats = floats.context("lengths that come at run time, as floats")?;
            Value::floats(crate::import::onnx::array::Array::new(ints.shape().to_vec(), floats)?)
        }
        _ => bail!("to {to}: not a change of floats to floats or of integers to integers"),
    }])
}

/// `Transpose`.
pub fn transpose(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    let value = call.value(0)?.clone();
    let order = call.attributes.ints("perm")?;
    let rank = value.rank();
    let order = match order {
        Some(order) => order.iter().map(|&axis| axis_of(axis, rank)).collect::<Result<Vec<_>>>()?,
        None => (0..rank).rev().collect(),
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    ensure!(sorted.into_iter().eq(0..rank), "perm {order:?}: no order of {rank} axes");
    count(context, &value)?;
    let value: Result<Value> = on_constants!(value, array => array.transposed(&order)?, same => order.iter().map(|&axis| same.shape[axis].clone()).collect(), data => {
        let axes = order.iter().map(|&axis| data.axes[axis].clone()).collect();
        Ok(Value::Data(Data { axes, ..data }))
    });
    Ok(vec![value?])
}

/// Takes account of a copy.
fn count(context: &mut Context<'_>, value: &Value) -> Result<()> {
    match value {
        Value::Floats(array) => context.spend(array.values().len()),
        Value::Ints(array) => context.spend(array.values().len() * 8),
        _ => Ok(()),
    }
}

/// `Squeeze`.
pub fn squeeze(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let axes = call.ints_of("axes", 1)?;
    let value = call.value(0)?.clone();
    let rank = value.rank();
    let sizes: Vec<Option<i64>> = dims(context, &value)?.iter().map(Dim::value).collect();
    let gone = match axes {
        Some(axes) => axes.iter().map(|&axis| axis_of(axis, rank)).collect::<Result<Vec<_>>>()?,
        None => {
            ensure!(sizes.iter().all(Option::is_some), "axes: not given, and lengths come at run time");
            (0..rank).filter(|&axis| sizes[axis] == Some(1)).collect()
        }
    };
    for &axis in &gone {
        ensure!(sizes[axis] == Some(1), "axes: axis {axis} has not the fixed length 1");
    }
    let kept = |axis: &usize| !gone.contains(axis);
    count(context, &value)?;
    let value: Result<Value> = on_constants!(
        value,
        array => array.reshaped((0..rank).filter(kept).map(|axis| array.shape()[axis]).collect())?,
        same => (0..rank).filter(kept).map(|axis| same.shape[axis].clone()).collect(),
        data => {
            let axes = (0..rank).filter(kept).map(|axis| data.axes[axis].clone()).collect();
            Ok(Value::Data(Data { axes, ..data }))
        }
    );
    Ok(vec![value?])
}

/// `Unsqueeze`.
pub fn unsqueeze(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let axes = call.ints_of("axes", 1)?.context("axes: not given")?;
    let value = call.value(0)?.clone();
    let rank = value.rank() + axes.len();
    ensure!(rank <= MOST_AXES, "axes: more than {MOST_AXES} then");
    let mut new = axes.iter().map(|&axis| axis_of(axis, rank)).collect::<Result<Vec<_>>>()?;
    new.sort_unstable();
    new.dedup();
    ensure!(new.len() == axes.len(), "axes {axes:?}: one given twice");
    count(context, &value)?;
    let value: Result<Value> = on_constants!(value, array => {
        let mut shape = array.shape().to_vec();
        new.iter().for_each(|&axis| shape.insert(axis, 1));
        array.reshaped(shape)?
    }, same => {
        let mut shape = same.shape.clone();
        new.iter().for_each(|&axis| shape.insert(axis, Dim::known(1)));
        shape
    }, data => {
        let mut axes = data.axes.clone();
        new.iter().for_each(|&axis| axes.insert(axis, Axis::new()));
        Ok(Value::Data(Data { axes, ..data }))
    });
    Ok(vec![value?])
}

/// `Flatten`: two axes, those before `axis` and those from there on.
pub fn flatten(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    let data = call.data(0)?;
    let rank = data.axes.len();
    let axis = call.attributes.int("axis")?.unwrap_or(1);
    let axis = if axis == rank as i64 { rank } else { axis_of(axis, rank)? };
    let axes = [&data.axes[..axis], &data.axes[axis..]].map(|axes| tidied(context, &data, axes.concat()));
    Ok(vec![Value::Data(Data { axes: axes.to_vec(), ..data })])
}

/// `Reshape`.
pub fn reshape(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let mut shape = call.dims(1)?.context("shape: not given")?;
    ensure!(shape.len() <= MOST_AXES, "shape: too many axes");
    let zero_is_zero = call.attributes.int("allowzero")?.unwrap_or(0) != 0;
    let value = call.value(0)?.clone();
    for (axis, dim) in shape.iter_mut().enumerate().filter(|(_, dim)| dim.value() == Some(0)) {
        ensure!(!zero_is_zero, "allowzero 1: an axis of length 0");
        *dim = dims(context, &value)?.into_iter().nth(axis).context("shape: 0 where no axis was")?;
    }
    count(context, &value)?;
    let value: Result<Value> = on_constants!(
        value,
        array => array.reshaped(known_shape(&shape, array.values().len())?)?,
        same => inferred(&shape, &product(&same.shape)?)?,
        data => {
            let axes = regrouped(context, &data, &shape)?;
            Ok(Value::Data(Data { axes, ..data }))
        }
    );
    Ok(vec![value?])
}

/// The lengths of its axes, fixed or not.
pub fn dims(context: &Context<'_>, value: &Value) -> Result<Vec<Dim>> {
    let all = |shape: &[usize]| shape.iter().map(|&len| Dim::known(len as i64)).collect();
    Ok(match value {
        Value::Floats(array) => all(array.shape()),
        Value::Ints(array) => all(array.shape()),
        Value::Data(data) => {
            data.axes.iter().map(|axis| context.axis_dim(axis, data)).collect::<Result<_>>()?
        }
        Value::Same(same) => same.shape.clone(),
    })
}

/// The shape of a constant of `len` values, one axis of which may be -1.
fn known_shape(shape: &[Dim], len: usize) -> Result<Vec<usize>> {
    let shape = inferred(shape, &Dim::known(i64::try_from(len)?))?;
    let known = shape.iter().map(|dim| dim.value().and_then(|len| usize::try_from(len).ok()));
    known.collect::<Option<_>>().context("shape: lengths that come at run time, for a constant")
}

/// The same shape, its -1 as what is left of `total` values.
fn inferred(shape: &[Dim], total: &Dim) -> Result<Vec<Dim>> {
    let is_open = |dim: &&Dim| dim.value() == Some(-1);
    let known: Vec<Dim> = shape.iter().filter(|dim| !is_open(dim)).cloned().collect();
    let left = total.over(&product(&known)?);
    let left = left.filter(|left| known.len() < shape.len() || left.value() == Some(1));
    let left = left.context("shape: of another number of values")?;
    Ok(shape.iter().map(|dim| if is_open(&dim) { left.clone() } else { dim.clone() }).collect())
}

/// The number of values of this shape.
pub fn product(shape: &[Dim]) -> Result<Dim> {
    shape.iter().try_fold(Dim::known(1), |product, dim| product.times(dim))
}

/// The atoms of the data, in the order in which they are, as axes of these lengths; one of them may be -1.
fn regrouped(context: &Context<'_>, data: &Data, shape: &[Dim]) -> Result<Vec<Axis>> {
    let mut atoms: Vec<Atom> = data.axes.concat();
    let open = shape.iter().position(|dim| dim.value() == Some(-1));
    let before = &shape[..open.unwrap_or(shape.len())];
    let after = open.map_or(&[][..], |open| &shape[open + 1..]);
    let mut axes = Vec::new();
    for dim in before {
        axes.push(cut(context, data, &mut atoms, dim)?);
    }
    atoms.reverse();
    let mut last = Vec::new();
    for dim in after.iter().rev() {
        let mut axis = cut(context, data, &mut atoms, dim)?;
        axis.reverse();
        last.push(axis);
    }
    atoms.reverse();
    let left = tidied(context, data, atoms);
    match open {
        Some(_) => axes.push(left),
        None => ensure!(
            context.axis_size(&left, data) == Some(1),
            "shape: leaves over {}",
            context.axis_name(&left)
        ),
    }
    last.reverse();
    axes.extend(last);
    Ok(axes)
}

/// Takes from the front of `atoms` as many as make an axis of length `dim`.
fn cut(context: &Context<'_>, data: &Data, atoms: &mut Vec<Atom>, dim: &Dim) -> Result<Axis> {
    let mut axis = Axis::new();
    let mut length = Dim::known(1);
    let is_one = |atom: &Atom| context.size_of(*atom, data) == Some(1);
    if dim.value() == Some(1) && atoms.first().is_some_and(is_one) {
        return Ok(vec![atoms.remove(0)]);
    }
    while length != *dim {
        ensure!(!atoms.is_empty(), "shape: parts {}", context.axis_name(&axis));
        let atom = atoms.remove(0);
        length = length.times(&context.dim_of(atom, data))?;
        axis.push(atom);
    }
    Ok(tidied(context, data, axis))
}

/// Of several atoms, those of length 1 are nothing.
fn tidied(context: &Context<'_>, data: &Data, mut axis: Axis) -> Axis {
    if axis.len() > 1 {
        axis.retain(|&atom| context.size_of(atom, data) != Some(1));
    }
    axis
}
