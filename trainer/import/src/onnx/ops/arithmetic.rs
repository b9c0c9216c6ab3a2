//! Elementwise arithmetic: a scale and an offset per feature, a bias, or the merge of two directions.

use std::rc::Rc;

use anyhow::{Context as _, Result, bail, ensure};

use super::folding::combine_floats;
use super::merging::merged;
use super::shapes::combine_lengths;
use crate::composed::{Elementwise, at_least, at_most};
use crate::onnx::array::Array;
use crate::onnx::call::Call;
use crate::onnx::context::GraphContext;
use crate::onnx::value::{Data, Dim, Value};
use crate::onnx::waiting::Parameterized::{self, LeakyRelu, Offset, Scale};
use embedded_rnn_nn::layers::MergeMode;
use embedded_rnn_nn::tensor::Matrix;

/// Evaluates `Add`.
pub fn add(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    match operands(call)? {
        Operands::Lengths(a, b) => {
            Ok(vec![combine_lengths(&a, &b, |a, b| known_lengths(a, b, i64::checked_add))?])
        }
        Operands::Constants(a, b) => Ok(vec![combine_floats(context, &a, &b, |a, b| a + b)?]),
        Operands::Constant { data, constant, .. } => parameterized(context, call, &data, Offset, &constant),
        Operands::Data(a, b) => match super::residual::sum(context, call, &a, &b)? {
            Some(value) => Ok(vec![value]),
            None => merged(context, &a, &b, MergeMode::Sum),
        },
    }
}

/// Evaluates `Sub`.
pub fn sub(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    match operands(call)? {
        Operands::Lengths(a, b) => {
            Ok(vec![combine_lengths(&a, &b, |a, b| known_lengths(a, b, i64::checked_sub))?])
        }
        Operands::Constants(a, b) => Ok(vec![combine_floats(context, &a, &b, |a, b| a - b)?]),
        Operands::Constant { data, constant, data_is_first: true } => {
            parameterized(context, call, &data, Offset, &constant.map(|value| -value))
        }
        Operands::Constant { data, constant, data_is_first: false } => {
            let negative = negated(context, call, &data)?;
            parameterized(context, call, &negative, Offset, &constant)
        }
        Operands::Data(..) => bail!("only a constant can be subtracted from the data"),
    }
}

/// Evaluates `Mul`.
pub fn mul(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    match operands(call)? {
        Operands::Lengths(a, b) => Ok(vec![combine_lengths(&a, &b, Dim::times)?]),
        Operands::Constants(a, b) => Ok(vec![combine_floats(context, &a, &b, |a, b| a * b)?]),
        Operands::Constant { data, constant, .. } => parameterized(context, call, &data, Scale, &constant),
        Operands::Data(a, b) => match super::activations::times_input(context, call, &a, &b)? {
            Some(values) => Ok(values),
            None => merged(context, &a, &b, MergeMode::Mul),
        },
    }
}

/// Evaluates `Div`.
pub fn div(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    match operands(call)? {
        Operands::Lengths(a, b) => {
            Ok(vec![combine_lengths(&a, &b, |a, b| known_lengths(a, b, i64::checked_div))?])
        }
        Operands::Constants(a, b) => Ok(vec![combine_floats(context, &a, &b, |a, b| a / b)?]),
        Operands::Constant { data, constant, data_is_first: true } => {
            parameterized(context, call, &data, Scale, &constant.map(|value| 1.0 / value))
        }
        _ => bail!("the data can only be divided by a constant"),
    }
}

/// Evaluates `Neg`.
pub fn neg(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(1)?;
    if let Value::Floats(array) = call.value(0)? {
        return Ok(vec![Value::floats(array.map(|value| -value))]);
    }
    Ok(vec![Value::Data(negated(context, call, &call.data(0)?)?)])
}

/// Evaluates `Max` of the data and a constant.
pub fn max(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    bounded(context, call, at_least, f32::max)
}

/// Evaluates `Min` of the data and a constant.
pub fn min(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    bounded(context, call, at_most, f32::min)
}

fn bounded(
    context: &mut GraphContext<'_>,
    call: &Call<'_>,
    functions: fn(f32) -> Vec<Elementwise>,
    of_constants: fn(f32, f32) -> f32,
) -> Result<Vec<Value>> {
    match operands(call)? {
        Operands::Constants(a, b) => Ok(vec![combine_floats(context, &a, &b, of_constants)?]),
        Operands::Constant { data, constant, .. } => {
            let &bound = constant.single().context("a bound per feature: only one bound is supported")?;
            ensure!(constant.shape().len() <= data.axes.len(), "the constant has more axes than the data");
            context.elementwise(call, &data, &functions(bound))
        }
        _ => bail!("expected the data and a constant"),
    }
}

/// Evaluates `PRelu`.
pub fn prelu(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let slopes = call.weights(1)?.context("slope: missing")?;
    parameterized(context, call, &call.data(0)?, LeakyRelu, &slopes)
}

/// Returns the data with the opposite sign.
fn negated(context: &mut GraphContext<'_>, call: &Call<'_>, data: &Data) -> Result<Data> {
    match context.elementwise(call, data, &[Elementwise::Scale(-1.0)])?.pop() {
        Some(Value::Data(data)) => Ok(data),
        _ => bail!("expected run-time data"),
    }
}

/// Applies a function whose parameter is a constant: one value, or one per feature.
///
/// # Errors
/// A constant that varies along several axes.
fn parameterized(
    context: &mut GraphContext<'_>,
    call: &Call<'_>,
    data: &Data,
    function: Parameterized,
    constant: &Array<f32>,
) -> Result<Vec<Value>> {
    let shape = constant.shape();
    ensure!(shape.len() <= data.axes.len(), "the constant has more axes than the data");
    if let Some(&value) = constant.single() {
        return context.elementwise(call, data, &[function.with(value)?]);
    }
    let varying: Vec<usize> = (0..shape.len()).filter(|&axis| shape[axis] != 1).collect();
    let &[axis] = &varying[..] else { bail!("a constant of shape {shape:?}: only one value per feature") };
    let from_end = shape.len() - axis;
    let axis = data.axes.len() - from_end;
    context.fix_size(&data.axes[axis], constant.values().len());
    let parameters = Matrix::from_column_slice(constant.values().len(), 1, constant.values());
    context.each_feature(call, data, axis, (function, parameters))
}

/// Combines two fixed lengths.
fn known_lengths(a: &Dim, b: &Dim, combine: fn(i64, i64) -> Option<i64>) -> Result<Dim> {
    let both = a.value().zip(b.value()).context("arithmetic on a length known at run time only")?;
    Ok(Dim::known(combine(both.0, both.1).context("length too large")?))
}

/// The operands of an elementwise operator.
enum Operands {
    Lengths(Rc<Array<Dim>>, Rc<Array<Dim>>),
    Constants(Rc<Array<f32>>, Rc<Array<f32>>),
    Constant { data: Data, constant: Array<f32>, data_is_first: bool },
    Data(Data, Data),
}

fn operands(call: &Call<'_>) -> Result<Operands> {
    call.at_most(2)?;
    Ok(match (call.value(0)?, call.value(1)?) {
        (Value::Ints(a), Value::Ints(b)) => Operands::Lengths(a.clone(), b.clone()),
        (Value::Floats(a), Value::Floats(b)) => Operands::Constants(a.clone(), b.clone()),
        (Value::Data(a), Value::Data(b)) => Operands::Data(a.clone(), b.clone()),
        (Value::Data(data), Value::Floats(_)) => Operands::Constant {
            data: data.clone(),
            constant: Array::clone(&*call.weights(1)?.context("no constant")?),
            data_is_first: true,
        },
        (Value::Floats(_), Value::Data(data)) => Operands::Constant {
            data: data.clone(),
            constant: Array::clone(&*call.weights(0)?.context("no constant")?),
            data_is_first: false,
        },
        (Value::Data(data), Value::Ints(_)) | (Value::Ints(_), Value::Data(data)) if data.ids => {
            bail!("arithmetic on ids")
        }
        _ => bail!("expected lengths, or the data and a constant"),
    })
}
