//! Arithmetic of constants, which exporters do not always compute themselves.

use anyhow::{Result, bail, ensure};

use crate::onnx::array::{Array, MAX_AXES};
use crate::onnx::call::Call;
use crate::onnx::context::GraphContext;
use crate::onnx::value::{Value, axis_index};

/// Evaluates a function of two constants, whose axes are aligned at the last one; those of length 1 are
/// repeated.
///
/// # Errors
/// Axes of different lengths.
pub fn combine_floats(
    context: &mut GraphContext<'_>,
    a: &Array<f32>,
    b: &Array<f32>,
    combine: impl Fn(f32, f32) -> f32,
) -> Result<Value> {
    let rank = a.shape().len().max(b.shape().len());
    ensure!(rank <= MAX_AXES, "more than {MAX_AXES} axes");
    let aligned = |array: &Array<f32>| [vec![1; rank - array.shape().len()], array.shape().to_vec()].concat();
    let (own, other) = (aligned(a), aligned(b));
    let mut shape = own.clone();
    for (len, &other) in shape.iter_mut().zip(&other) {
        ensure!(*len == other || *len == 1 || other == 1, "constants of shapes {own:?} and {:?}", b.shape());
        if *len == 1 {
            *len = other;
        }
    }
    let len = shape.iter().try_fold(1usize, |len, &axis| len.checked_mul(axis)).unwrap_or(usize::MAX);
    context.spend(len)?;
    let at = |array: &Array<f32>, lens: &[usize], mut index: usize| {
        let (mut place, mut stride) = (0, 1);
        for (&len, &own) in shape.iter().zip(lens).rev() {
            if own > 1 {
                place += index % len * stride;
            }
            stride *= own;
            index /= len;
        }
        array.values()[place]
    };
    let values = (0..len).map(|index| combine(at(a, &own, index), at(b, &other, index))).collect();
    Ok(Value::floats(Array::new(shape.clone(), values)?))
}

/// Evaluates `Sqrt` and other functions of a constant.
pub fn function(_: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    let Value::Floats(array) = call.value(0)? else { bail!("only of constants") };
    let function: fn(f32) -> f32 = match call.op {
        "Sqrt" => f32::sqrt,
        "Reciprocal" => f32::recip,
        "Abs" => f32::abs,
        other => bail!("{other}: unknown function"),
    };
    Ok(vec![Value::floats(array.map(|&value| function(value)))])
}

/// Evaluates `Pow` of constants.
pub fn pow(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let (Value::Floats(base), Value::Floats(exponent)) = (call.value(0)?, call.value(1)?) else {
        bail!("only of constants")
    };
    Ok(vec![combine_floats(context, base, exponent, f32::powf)?])
}

/// Evaluates `DequantizeLinear` of a constant: `(x - zero point) * scale`, with one scale, or one per index
/// of an axis.
pub fn dequantize(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(3)?;
    call.only("block_size", 0)?;
    call.attributes.int("output_dtype")?;
    let axis = call.attributes.int("axis")?.unwrap_or(1);
    let Value::Ints(quantized) = call.value(0)?.clone() else {
        bail!(
            "only of constants: activations that are quantized in the graph are not supported; import the \
               float model, and quantize it with ernn quantize"
        )
    };
    let Some(scale) = call.weights(1)? else { bail!("x_scale: missing") };
    let zeros = call.ints(2)?.unwrap_or_else(|| vec![0; scale.values().len()]);
    ensure!(
        zeros.len() == scale.values().len(),
        "{} zero points and {} scales",
        zeros.len(),
        scale.values().len()
    );
    let shape = quantized.shape();
    let (count, run) = match scale.single() {
        Some(_) => (1, 1),
        None => {
            let axis = axis_index(axis, shape.len())?;
            ensure!(
                scale.values().len() == shape[axis],
                "{} scales for an axis of {}",
                scale.values().len(),
                shape[axis]
            );
            (shape[axis], shape[axis + 1..].iter().product())
        }
    };
    context.spend(quantized.values().len())?;
    let dequantized = |(index, value): (usize, i64)| {
        let part = index / run % count;
        value.saturating_sub(zeros[part]) as f32 * scale.values()[part]
    };
    let Some(values) = quantized.values().iter().map(|dim| dim.value()).collect::<Option<Vec<i64>>>() else {
        bail!("lengths known at run time only")
    };
    let values = values.into_iter().enumerate().map(dequantized).collect();
    Ok(vec![Value::floats(Array::new(shape.to_vec(), values)?)])
}
