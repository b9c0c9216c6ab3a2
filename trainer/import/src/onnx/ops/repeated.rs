//! Constants that are repeated: `ConstantOfShape`, `Expand`, `Tile`. Along an axis whose length is known at
//! run time only, as that of a batch, the repetitions are no values but part of the shape.

use anyhow::{Context as _, Result, bail, ensure};

use super::folding::combine_floats;
use super::layout::dims;
use super::shapes::value_of;
use crate::onnx::array::{Array, MAX_AXES};
use crate::onnx::call::Call;
use crate::onnx::context::GraphContext;
use crate::onnx::value::{Dim, Repeated, Uniform, Value};

/// Evaluates `ConstantOfShape`.
pub fn constant_of_shape(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    let shape = call.dims(0)?.context("input: missing")?;
    ensure!(shape.len() <= MAX_AXES, "more than {MAX_AXES} axes");
    let constant = match call.attributes.tensor("value")? {
        Some(tensor) => {
            ensure!(tensor.count() == Some(1), "value: expected one value");
            value_of(tensor.constant()?)
        }
        None => Value::floats(Array::scalar(0.0)),
    };
    Ok(vec![spread(context, &constant, &shape)?])
}

/// Evaluates `Expand` of a constant.
pub fn expand(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let value = call.value(0)?.clone();
    let mut shape = call.dims(1)?.context("shape: missing")?;
    let own = dims(context, &value)?;
    ensure!(own.len().max(shape.len()) <= MAX_AXES, "more than {MAX_AXES} axes");
    // The last axes are aligned; one of length 1 is repeated.
    while shape.len() < own.len() {
        shape.insert(0, Dim::known(1));
    }
    let first = shape.len() - own.len();
    for (target, own) in shape[first..].iter_mut().zip(own) {
        if target.value() == Some(1) {
            *target = own;
        } else {
            ensure!(
                own.value() == Some(1) || own == *target,
                "shape: incompatible with the shape of the input"
            );
        }
    }
    Ok(vec![spread(context, &value, &shape)?])
}

/// Evaluates `Tile` of constants, or of run-time data once.
pub fn tile(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let value = call.value(0)?.clone();
    let repeats = call.dims(1)?.context("repeats: missing")?;
    ensure!(repeats.len() == value.rank(), "{} repeats of {} axes", repeats.len(), value.rank());
    if repeats.iter().all(|count| count.value() == Some(1)) {
        return Ok(vec![value]);
    }
    let mut shape = dims(context, &value)?;
    for (dim, count) in shape.iter_mut().zip(&repeats) {
        ensure!(
            dim.value() == Some(1) || count.value() == Some(1),
            "repeats: only axes of length 1 can be repeated"
        );
        *dim = dim.times(count)?;
    }
    Ok(vec![spread(context, &value, &shape)?])
}

/// Returns constants in this shape, which repeats axes of length 1.
fn spread(context: &mut GraphContext<'_>, value: &Value, shape: &[Dim]) -> Result<Value> {
    let len = |dim: &Dim| dim.value().and_then(|len| usize::try_from(len).ok());
    let known: Option<Vec<usize>> = shape.iter().map(len).collect();
    let int = match value {
        Value::Ints(array) => Some(array.single().context("more than one value")?.clone()),
        _ if value.is_zeros() => None,
        Value::Floats(array) => return repeated(context, array, shape),
        Value::Repeated(own) => return repeated(context, own.array(), shape),
        _ => bail!("expected one constant"),
    };
    match (int, known) {
        (Some(int), Some(shape)) => Ok(Value::ints(filled(context, int, shape)?)),
        (int, _) => Ok(Value::Uniform(Uniform { int, shape: shape.to_vec() })),
    }
}

/// Returns floats in this shape; along axes whose length is known at run time only they are not copied.
fn repeated(context: &mut GraphContext<'_>, array: &Array<f32>, shape: &[Dim]) -> Result<Value> {
    let lens = shape.iter().map(|dim| dim.value().map_or(Ok(1), usize::try_from));
    let zeros = filled(context, 0.0, lens.collect::<Result<_, _>>()?)?;
    let Value::Floats(array) = combine_floats(context, array, &zeros, |value, _| value)? else {
        bail!("not floats")
    };
    if shape.iter().all(|dim| dim.value().is_some()) {
        return Ok(Value::Floats(array));
    }
    Ok(Value::Repeated(Repeated::new(Array::clone(&array), shape.to_vec())?))
}

fn filled<T: Clone>(context: &mut GraphContext<'_>, value: T, shape: Vec<usize>) -> Result<Array<T>> {
    let len = shape.iter().try_fold(1usize, |len, &axis| len.checked_mul(axis));
    let len = len.context("shape too large")?;
    context.spend(len.saturating_mul(8))?;
    Array::new(shape, vec![value; len])
}
