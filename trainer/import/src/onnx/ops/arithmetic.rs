//! Matrix products and elementwise arithmetic: a Dense layer, its bias, or a scale and an offset per feature.

use std::rc::Rc;

use anyhow::{Context as _, Result, bail, ensure};

use super::shapes::combine_lengths;
use crate::onnx::array::Array;
use crate::onnx::call::{Call, column, matrix};
use crate::onnx::context::{FrameInput, GraphContext};
use crate::onnx::layer_graph::Edge;
use crate::onnx::value::{Component, Data, Dim, Value};
use embedded_rnn_nn::activation::Activation;
use embedded_rnn_nn::layers::{BatchNormalization, Dense, Kind, MergeMode};
use embedded_rnn_nn::tensor::Matrix;

/// Evaluates `Gemm`: `alpha A B + beta C`, where A is the data.
pub fn gemm(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(3)?;
    let data = call.data(0)?;
    ensure!(data.axes.len() == 2, "A: {} axes, expected two", data.axes.len());
    call.only("transA", 0)?;
    let transposed = call.attributes.int("transB")?.unwrap_or(0) != 0;
    let [alpha, beta] = ["alpha", "beta"].map(|name| call.attributes.float(name));
    let (alpha, beta) = (alpha?.unwrap_or(1.0), beta?.unwrap_or(1.0));
    let weights = call.weights(1)?.context("B: missing")?;
    let weight = matrix(&weights)?;
    let weight = (if transposed { weight } else { weight.transpose() }) * alpha;
    let bias = match call.weights(2)? {
        Some(bias) => Some(broadcast(&bias, weight.nrows()).context("C")? * beta),
        None => None,
    };
    dense(context, call, &data, weight, bias)
}

/// Evaluates `MatMul` of the data, whose last axis is the features, and weights.
pub fn mat_mul(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let data = call.data(0)?;
    let weights = call.weights(1)?.context("B: missing")?;
    let weight = matrix(&weights).context("B")?.transpose();
    dense(context, call, &data, weight, None)
}

fn dense(
    context: &mut GraphContext<'_>,
    call: &Call<'_>,
    data: &Data,
    weight: Matrix<f32>,
    bias: Option<Matrix<f32>>,
) -> Result<Vec<Value>> {
    let last = data.axes.len().checked_sub(1).context("data without axes")?;
    let axis = if data.axes[last].is_empty() { None } else { Some(last) };
    let (rows, columns) = weight.shape();
    context.fix_size(&data.axes[last], columns);
    let FrameInput { edge, size } = context.frame_input(data, axis)?;
    ensure!(columns == size, "weights of {columns} input features, but the input has {size}");
    ensure!(rows > 0, "no output features");
    context.spend(weight.len())?;
    let use_bias = bias.is_some();
    let bias = bias.unwrap_or_else(|| Matrix::zeros(rows, 1));
    let kind = Kind::Dense(Dense { weight, bias, activation: Activation::Linear, use_bias });
    let edge = context.add_layer(&call.name, &call.origin, kind, &edge, rows)?;
    Ok(vec![Value::Data(context.data_after(data, Some(last), edge)?)])
}

/// Returns one value or `rows` values as a column.
fn broadcast(array: &Array<f32>, rows: usize) -> Result<Matrix<f32>> {
    match array.single() {
        Some(&value) => Ok(Matrix::repeat(rows, 1, value)),
        None => column(array, rows),
    }
}

/// Evaluates `Add`.
pub fn add(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    match operands(call)? {
        Operands::Lengths(a, b) => {
            Ok(vec![combine_lengths(&a, &b, |a, b| known_lengths(a, b, i64::checked_add))?])
        }
        Operands::Constant { data, constant, .. } => offset(context, call, &data, &constant, 1.0),
        Operands::Data(a, b) => merged(context, &a, &b, MergeMode::Sum),
    }
}

/// Evaluates `Sub`.
pub fn sub(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    match operands(call)? {
        Operands::Lengths(a, b) => {
            Ok(vec![combine_lengths(&a, &b, |a, b| known_lengths(a, b, i64::checked_sub))?])
        }
        Operands::Constant { data, constant, data_is_first: true } => {
            offset(context, call, &data, &constant, -1.0)
        }
        _ => bail!("only a constant can be subtracted from the data"),
    }
}

/// Evaluates `Mul`.
pub fn mul(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    match operands(call)? {
        Operands::Lengths(a, b) => Ok(vec![combine_lengths(&a, &b, Dim::times)?]),
        Operands::Constant { data, constant, .. } => scale(context, call, &data, &constant, |value| value),
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
        Operands::Constant { data, constant, data_is_first: true } => {
            scale(context, call, &data, &constant, |value| 1.0 / value)
        }
        _ => bail!("the data can only be divided by a constant"),
    }
}

/// Combines two fixed lengths.
fn known_lengths(a: &Dim, b: &Dim, combine: fn(i64, i64) -> Option<i64>) -> Result<Dim> {
    let both = a.value().zip(b.value()).context("arithmetic on a length known at run time only")?;
    Ok(Dim::known(combine(both.0, both.1).context("length too large")?))
}

/// The operands of an elementwise operator.
enum Operands {
    Lengths(Rc<Array<Dim>>, Rc<Array<Dim>>),
    Constant { data: Data, constant: Array<f32>, data_is_first: bool },
    Data(Data, Data),
}

fn operands(call: &Call<'_>) -> Result<Operands> {
    call.at_most(2)?;
    Ok(match (call.value(0)?, call.value(1)?) {
        (Value::Ints(a), Value::Ints(b)) => Operands::Lengths(a.clone(), b.clone()),
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

/// Returns the input of a layer with one parameter per feature, and the constant as a column.
fn each_feature(
    context: &mut GraphContext<'_>,
    data: &Data,
    constant: &Array<f32>,
) -> Result<(FrameInput, Option<usize>, Matrix<f32>)> {
    ensure!(constant.shape().len() <= data.axes.len(), "the constant has more axes than the data");
    let last = data.axes.len().checked_sub(1).context("data without axes")?;
    let axis = if constant.single().is_some() { context.elementwise_axis(data)? } else { Some(last) };
    let axis = axis.filter(|&axis| !data.axes[axis].is_empty());
    let frames = context.frame_input(data, axis)?;
    let constant = broadcast(constant, frames.size)?;
    Ok((frames, axis, constant))
}

/// Adds `sign * constant`: to the bias of a Dense layer without activation, or as an offset per feature.
fn offset(
    context: &mut GraphContext<'_>,
    call: &Call<'_>,
    data: &Data,
    constant: &Array<f32>,
    sign: f32,
) -> Result<Vec<Value>> {
    let (FrameInput { edge, size }, axis, constant) = each_feature(context, data, constant)?;
    let constant = constant * sign;
    let edge = match edge.node().and_then(|node| node.framewise_kind()) {
        Some(Kind::Dense(dense)) if dense.activation == Activation::Linear => {
            context.spend(dense.weight.len())?;
            let dense = Dense { bias: &dense.bias + constant, use_bias: true, ..dense.clone() };
            context.replace_layer(&edge, Kind::Dense(dense))?
        }
        Some(Kind::BatchNormalization(layer)) => {
            let layer = BatchNormalization { beta: &layer.beta + constant, ..layer.clone() };
            context.replace_layer(&edge, Kind::BatchNormalization(layer))?
        }
        _ => {
            let layer = BatchNormalization::affine(Matrix::repeat(size, 1, 1.0), constant);
            context.add_layer(&call.name, &call.origin, Kind::BatchNormalization(layer), &edge, size)?
        }
    };
    Ok(vec![Value::Data(context.data_after(data, axis, edge)?)])
}

/// Multiplies every feature by a function of the constant.
fn scale(
    context: &mut GraphContext<'_>,
    call: &Call<'_>,
    data: &Data,
    constant: &Array<f32>,
    by: impl Fn(f32) -> f32,
) -> Result<Vec<Value>> {
    let (FrameInput { edge, size }, axis, constant) = each_feature(context, data, constant)?;
    let constant = constant.map(by);
    ensure!(constant.iter().all(|value| value.is_finite()), "a scale that is not finite");
    let layer = BatchNormalization::affine(constant, Matrix::zeros(size, 1));
    let edge = context.add_layer(&call.name, &call.origin, Kind::BatchNormalization(layer), &edge, size)?;
    Ok(vec![Value::Data(context.data_after(data, axis, edge)?)])
}

/// Merges both directions of a bidirectional layer elementwise.
fn merged(context: &mut GraphContext<'_>, a: &Data, b: &Data, merge: MergeMode) -> Result<Vec<Value>> {
    let ([Component::Frames(first), ..], [Component::Frames(second), ..]) =
        (&a.components[..], &b.components[..])
    else {
        bail!("expected two outputs of layers")
    };
    ensure!(
        a.components.len() == 1 && b.components.len() == 1,
        "directions or layers on an axis of their own"
    );
    let axis = context.common_features_axis(a, b)?;
    ensure!(axis.is_some(), "the feature axis is unknown");
    let backwards = |edge: &Edge| edge.node().is_some_and(|node| node.runs_backwards());
    let (first, second) = if backwards(first) { (second, first) } else { (first, second) };
    let edge = Edge::bidirectional(first, second, merge).context("unsupported branch")?;
    Ok(vec![Value::Data(context.data_after(a, axis, edge)?)])
}
