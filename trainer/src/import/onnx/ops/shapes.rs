//! Constants, and shapes that are computed at run time.

use anyhow::{Context as _, Result, bail, ensure};

use super::layout::{dims, product};
use crate::import::onnx::array::{Array, MOST_AXES};
use crate::import::onnx::call::Call;
use crate::import::onnx::context::Context;
use crate::import::onnx::tensor::Constant;
use crate::import::onnx::value::{Dim, Same, Value};

/// As a value.
pub fn value_of(constant: Constant) -> Value {
    match constant {
        Constant::Floats(array) => Value::floats(array),
        Constant::Ints(array) => Value::ints(array.map(|&value| Dim::known(value))),
    }
}

/// `Constant`.
pub fn constant(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(0)?;
    let attributes = &mut call.attributes;
    let value = if let Some(tensor) = attributes.tensor("value")? {
        context.spend(tensor.count().context("a shape beyond all memory")?)?;
        value_of(tensor.constant()?)
    } else if let Some(value) = attributes.int("value_int")? {
        Value::ints(Array::scalar(Dim::known(value)))
    } else if let Some(values) = attributes.ints("value_ints")? {
        Value::ints(Array::vector(values.into_iter().map(Dim::known).collect()))
    } else if let Some(value) = attributes.float("value_float")? {
        Value::floats(Array::scalar(value))
    } else if let Some(values) = attributes.floats("value_floats")? {
        Value::floats(Array::vector(values))
    } else {
        bail!("neither value nor value_int, value_ints, value_float or value_floats")
    };
    Ok(vec![value])
}

/// `Shape`.
pub fn shape(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    let shape = dims(context, call.value(0)?)?;
    let rank = shape.len() as i64;
    let mut end_of = |name: &str, usual: i64| -> Result<usize> {
        let end = call.attributes.int(name)?.unwrap_or(usual);
        Ok((if end < 0 { end.saturating_add(rank) } else { end }).clamp(0, rank) as usize)
    };
    let (start, end) = (end_of("start", 0)?, end_of("end", rank)?);
    let part = shape.get(start..end).context("start: after end")?;
    Ok(vec![Value::ints(Array::vector(part.to_vec()))])
}

/// `ConstantOfShape`.
pub fn constant_of_shape(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    let shape = call.dims(0)?.context("input: not given")?;
    ensure!(shape.len() <= MOST_AXES, "more than {MOST_AXES} axes");
    let constant = match call.attributes.tensor("value")? {
        Some(tensor) => {
            ensure!(tensor.count() == Some(1), "value: not one value");
            value_of(tensor.constant()?)
        }
        None => Value::floats(Array::scalar(0.0)),
    };
    Ok(vec![spread(context, &constant, &shape)?])
}

/// `Expand` of one value, or of zeros.
pub fn expand(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let value = call.value(0)?.clone();
    let mut shape = call.dims(1)?.context("shape: not given")?;
    let own = dims(context, &value)?;
    ensure!(own.len().max(shape.len()) <= MOST_AXES, "more than {MOST_AXES} axes");
    // The last axes stand below each other; one of length 1 becomes the other.
    while shape.len() < own.len() {
        shape.insert(0, Dim::known(1));
    }
    let first = shape.len() - own.len();
    for (wanted, own) in shape[first..].iter_mut().zip(own) {
        if wanted.value() == Some(1) {
            *wanted = own;
        } else {
            ensure!(own.value() == Some(1) || own == *wanted, "shape: of other axes than the values");
        }
    }
    Ok(vec![spread(context, &value, &shape)?])
}

/// One value, or zeros, in all places of this shape.
fn spread(context: &mut Context<'_>, value: &Value, shape: &[Dim]) -> Result<Value> {
    let known: Option<Vec<usize>> =
        shape.iter().map(|dim| dim.value().and_then(|len| usize::try_from(len).ok())).collect();
    let int = match value {
        Value::Ints(array) => Some(array.single().context("more than one value")?.clone()),
        _ if value.is_zeros() => None,
        Value::Floats(array) => {
            let &value = array.single().context("more than one value")?;
            let shape = known.context("values other than zeros, in a shape that comes at run time")?;
            return Ok(Value::floats(filled(context, value, shape)?));
        }
        _ => bail!("values other than one constant"),
    };
    match (int, known) {
        (Some(int), Some(shape)) => Ok(Value::ints(filled(context, int, shape)?)),
        (int, _) => Ok(Value::Same(Same { int, shape: shape.to_vec() })),
    }
}

fn filled<T: Clone>(context: &mut Context<'_>, value: T, shape: Vec<usize>) -> Result<Array<T>> {
    let len = shape.iter().try_fold(1usize, |len, &axis| len.checked_mul(axis));
    let len = len.context("a shape beyond all memory")?;
    context.spend(len.saturating_mul(8))?;
    Array::new(shape, vec![value; len])
}

/// `ReduceProd` of lengths: how many numbers there are.
pub fn reduce_prod(_: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let axes = call.ints_of("axes", 1)?.unwrap_or_default();
    ensure!(axes.iter().all(|&axis| axis == 0 || axis == -1), "axes {axes:?}: lengths have one axis");
    call.only("noop_with_empty_axes", 0)?;
    let keeps = call.attributes.int("keepdims")?.unwrap_or(1) != 0;
    let product = product(&call.dims(0)?.context("input: not given")?)?;
    let product = if keeps { Array::vector(vec![product]) } else { Array::scalar(product) };
    Ok(vec![Value::ints(product)])
}

/// Arithmetic of lengths, value by value or one with all.
pub fn of_lengths(a: &Array<Dim>, b: &Array<Dim>, what: impl Fn(&Dim, &Dim) -> Result<Dim>) -> Result<Value> {
    let (shape, len) = match (a.single(), b.single()) {
        (_, Some(_)) if b.shape().len() <= a.shape().len() => (a.shape(), a.values().len()),
        (Some(_), _) => (b.shape(), b.values().len()),
        _ if a.shape() == b.shape() => (a.shape(), a.values().len()),
        _ => bail!("lengths of shapes {:?} and {:?}", a.shape(), b.shape()),
    };
    let of = |array: &Array<Dim>, place: usize| {
        array.values()[if array.values().len() == 1 { 0 } else { place }].clone()
    };
    let values = (0..len).map(|place| what(&of(a, place), &of(b, place))).collect::<Result<Vec<_>>>()?;
    Ok(Value::ints(Array::new(shape.to_vec(), values)?))
}
