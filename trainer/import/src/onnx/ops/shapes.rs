//! Constants, and shapes that are computed at run time.

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::layout::{dims, product};
use crate::onnx::array::Array;
use crate::onnx::call::Call;
use crate::onnx::context::GraphContext;
use crate::onnx::tensor::Constant;
use crate::onnx::value::{Dim, Value};

/// Converts a constant of the file to a value.
pub fn value_of(constant: Constant) -> Value {
    match constant {
        Constant::Floats(array) => Value::floats(array),
        Constant::Ints(array) => Value::ints(array.map(|&value| Dim::known(value))),
    }
}

/// Evaluates `Constant`.
pub fn constant(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(0)?;
    let attributes = &mut call.attributes;
    let value = if let Some(tensor) = attributes.tensor("value")? {
        context.spend(tensor.count().context("shape too large")?)?;
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
        bail!("none of value, value_int, value_ints, value_float and value_floats is given")
    };
    Ok(vec![value])
}

/// Evaluates `Shape`.
pub fn shape(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    let shape = dims(context, call.value(0)?)?;
    let rank = shape.len() as i64;
    let mut bound = |name: &str, usual: i64| -> Result<usize> {
        let end = call.attributes.int(name)?.unwrap_or(usual);
        Ok((if end < 0 { end.saturating_add(rank) } else { end }).clamp(0, rank) as usize)
    };
    let (start, end) = (bound("start", 0)?, bound("end", rank)?);
    let part = shape.get(start..end).context("start: after end")?;
    Ok(vec![Value::ints(Array::vector(part.to_vec()))])
}

/// Evaluates `Equal` of lengths: 1 where they are equal.
pub fn equal(_: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let (Value::Ints(a), Value::Ints(b)) = (call.value(0)?, call.value(1)?) else { bail!("only of lengths") };
    let is_equal = |a: &Dim, b: &Dim| match (a.value(), b.value()) {
        (Some(a), Some(b)) => Ok(a == b),
        _ if a == b => Ok(true),
        // A length at run time is positive, and shapes have -1 for a length that is kept.
        (Some(known), None) | (None, Some(known)) if known < 0 => Ok(false),
        _ => Err(anyhow!("of lengths known at run time only")),
    };
    Ok(vec![combine_lengths(a, b, |a, b| Ok(Dim::known(is_equal(a, b)?.into())))?])
}

/// Evaluates `Where` of lengths.
pub fn where_(_: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(3)?;
    let [Value::Ints(condition), Value::Ints(a), Value::Ints(b)] =
        [call.value(0)?, call.value(1)?, call.value(2)?]
    else {
        bail!("only of lengths")
    };
    ensure!(condition.shape() == a.shape() && condition.shape() == b.shape(), "lengths of different shapes");
    let chosen = condition.values().iter().zip(a.values()).zip(b.values());
    let chosen = chosen.map(|((condition, a), b)| match condition.value() {
        Some(0) => Ok(b.clone()),
        Some(_) => Ok(a.clone()),
        None => Err(anyhow!("a condition known at run time only")),
    });
    Ok(vec![Value::ints(Array::new(a.shape().to_vec(), chosen.collect::<Result<_>>()?)?)])
}

/// Evaluates `ReduceProd` of lengths: the number of values.
pub fn reduce_prod(_: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let axes = call.ints_of("axes", 1)?.unwrap_or_default();
    ensure!(axes.iter().all(|&axis| axis == 0 || axis == -1), "axes {axes:?}: a shape has one axis");
    call.only("noop_with_empty_axes", 0)?;
    let keeps = call.attributes.int("keepdims")?.unwrap_or(1) != 0;
    let product = product(&call.dims(0)?.context("input: missing")?)?;
    let product = if keeps { Array::vector(vec![product]) } else { Array::scalar(product) };
    Ok(vec![Value::ints(product)])
}

/// Evaluates arithmetic of lengths, elementwise or with one operand repeated.
///
/// # Errors
/// Shapes that differ, or as `combine`.
pub fn combine_lengths(
    a: &Array<Dim>,
    b: &Array<Dim>,
    combine: impl Fn(&Dim, &Dim) -> Result<Dim>,
) -> Result<Value> {
    let (shape, len) = match (a.single(), b.single()) {
        (_, Some(_)) if b.shape().len() <= a.shape().len() => (a.shape(), a.values().len()),
        (Some(_), _) => (b.shape(), b.values().len()),
        _ if a.shape() == b.shape() => (a.shape(), a.values().len()),
        _ => bail!("shapes of lengths: {:?} and {:?}", a.shape(), b.shape()),
    };
    let value = |array: &Array<Dim>, index: usize| {
        array.values()[if array.values().len() == 1 { 0 } else { index }].clone()
    };
    let values =
        (0..len).map(|index| combine(&value(a, index), &value(b, index))).collect::<Result<Vec<_>>>()?;
    Ok(Value::ints(Array::new(shape.to_vec(), values)?))
}
