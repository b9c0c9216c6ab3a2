//! Weighted sums and arithmetic: what makes a Dense layer, its bias, or a scale and an offset for every feature.

use anyhow::{Context as _, Result, bail, ensure};

use super::shapes::of_lengths;
use crate::activation::Activation;
use crate::import::onnx::array::Array;
use crate::import::onnx::call::{Call, column, matrix};
use crate::import::onnx::chain::Link;
use crate::import::onnx::context::{Context, Frames};
use crate::import::onnx::value::{Data, Dim, Part, Value};
use crate::layers::{BatchNormalization, Dense, Kind, MergeMode};
use crate::tensor::Matrix;

/// `Gemm`: `alpha A B + beta C`, A being the data.
pub fn gemm(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(3)?;
    let data = call.data(0)?;
    ensure!(data.axes.len() == 2, "A: {} axes, expected two", data.axes.len());
    call.only("transA", 0)?;
    let turned = call.attributes.int("transB")?.unwrap_or(0) != 0;
    let [alpha, beta] = ["alpha", "beta"].map(|name| call.attributes.float(name));
    let (alpha, beta) = (alpha?.unwrap_or(1.0), beta?.unwrap_or(1.0));
    let weights = call.weights(1)?.context("B: not given")?;
    let weight = matrix(&weights)?;
    let weight = (if turned { weight } else { weight.transpose() }) * alpha;
    let bias = match call.weights(2)? {
        Some(bias) => Some(broadcast(&bias, weight.nrows()).context("C")? * beta),
        None => None,
    };
    dense(context, call, &data, weight, bias)
}

/// `MatMul`: of the data, the last axis of which is the features, and weights.
pub fn mat_mul(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let data = call.data(0)?;
    let weights = call.weights(1)?.context("B: not given")?;
    let weight = matrix(&weights).context("B")?.transpose();
    dense(context, call, &data, weight, None)
}

fn dense(
    context: &mut Context<'_>,
    call: &Call<'_>,
    data: &Data,
    weight: Matrix<f32>,
    bias: Option<Matrix<f32>>,
) -> Result<Vec<Value>> {
    let last = data.axes.len().checked_sub(1).context("data without axes")?;
    let axis = if data.axes[last].is_empty() { None } else { Some(last) };
    let Frames { link, size } = context.frames(data, axis)?;
    let (rows, columns) = weight.shape();
    ensure!(columns == size, "weights over {columns} features, but {size} come in");
    ensure!(rows > 0, "no outputs");
    context.spend(weight.len())?;
    let use_bias = bias.is_some();
    let bias = bias.unwrap_or_else(|| Matrix::zeros(rows, 1));
    let kind = Kind::Dense(Dense { weight, bias, activation: Activation::Linear, use_bias });
    let link = context.layer(&call.name, &call.origin, kind, &link, rows)?;
    Ok(vec![Value::Data(context.after(data, Some(last), link)?)])
}

/// One value or `rows`, as a column.
fn broadcast(array: &Array<f32>, rows: usize) -> Result<Matrix<f32>> {
    match array.single() {
        Some(&value) => Ok(Matrix::repeat(rows, 1, value)),
        None => column(array, rows),
    }
}

/// `Add`.
pub fn add(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    match operands(call)? {
        Operands::Lengths(a, b) => Ok(vec![of_lengths(&a, &b, |a, b| sum(a, b, i64::checked_add))?]),
        Operands::Constant { data, constant, .. } => offset(context, call, &data, &constant, 1.0),
        Operands::Data(a, b) => merged(context, &a, &b, MergeMode::Sum),
    }
}

/// `Sub`.
pub fn sub(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    match operands(call)? {
        Operands::Lengths(a, b) => Ok(vec![of_lengths(&a, &b, |a, b| sum(a, b, i64::checked_sub))?]),
        Operands::Constant { data, constant, data_is_first: true } => {
            offset(context, call, &data, &constant, -1.0)
        }
        _ => bail!("only of a constant from the data"),
    }
}

/// `Mul`.
pub fn mul(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    match operands(call)? {
        Operands::Lengths(a, b) => Ok(vec![of_lengths(&a, &b, Dim::times)?]),
        Operands::Constant { data, constant, .. } => scale(context, call, &data, &constant, |value| value),
        Operands::Data(a, b) => match super::activations::times_itself(context, call, &a, &b)? {
            Some(values) => Ok(values),
            None => merged(context, &a, &b, MergeMode::Mul),
        },
    }
}

/// `Div`.
pub fn div(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    match operands(call)? {
        Operands::Lengths(a, b) => Ok(vec![of_lengths(&a, &b, |a, b| sum(a, b, i64::checked_div))?]),
        Operands::Constant { data, constant, data_is_first: true } => {
            scale(context, call, &data, &constant, |value| 1.0 / value)
        }
        _ => bail!("only of the data by a constant"),
    }
}

fn sum(a: &Dim, b: &Dim, of: fn(i64, i64) -> Option<i64>) -> Result<Dim> {
    let both = a.value().zip(b.value()).context("arithmetic with a length that comes at run time")?;
    Ok(Dim::known(of(both.0, both.1).context("lengths beyond all memory")?))
}

/// What two inputs can be.
enum Operands {
    Lengths(std::rc::Rc<Array<Dim>>, std::rc::Rc<Array<Dim>>),
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
            bail!("arithmetic with ids")
        }
        _ => bail!("neither lengths, nor the data and a constant"),
    })
}

/// The data as read by a layer of frames that does something to every feature, and the constant as a column.
fn each_feature(
    context: &mut Context<'_>,
    data: &Data,
    constant: &Array<f32>,
) -> Result<(Frames, Option<usize>, Matrix<f32>)> {
    ensure!(constant.shape().len() <= data.axes.len(), "a constant of more axes than the data");
    let last = data.axes.len().checked_sub(1).context("data without axes")?;
    let axis = if constant.single().is_some() { context.every_feature(data)? } else { Some(last) };
    let axis = axis.filter(|&axis| !data.axes[axis].is_empty());
    let frames = context.frames(data, axis)?;
    let constant = broadcast(constant, frames.size)?;
    Ok((frames, axis, constant))
}

/// `data + sign * constant`: the bias of a Dense without activation, else an offset for every feature.
fn offset(
    context: &mut Context<'_>,
    call: &Call<'_>,
    data: &Data,
    constant: &Array<f32>,
    sign: f32,
) -> Result<Vec<Value>> {
    let (Frames { link, size }, axis, constant) = each_feature(context, data, constant)?;
    let constant = constant * sign;
    let link = match link.point().and_then(|point| point.frames()) {
        Some(Kind::Dense(dense)) if dense.activation == Activation::Linear => {
            context.spend(dense.weight.len())?;
            let dense = Dense { bias: &dense.bias + constant, use_bias: true, ..dense.clone() };
            context.amended(&link, Kind::Dense(dense))?
        }
        Some(Kind::BatchNormalization(layer)) => {
            let layer = BatchNormalization { beta: &layer.beta + constant, ..layer.clone() };
            context.amended(&link, Kind::BatchNormalization(layer))?
        }
        _ => {
            let layer = BatchNormalization::affine(Matrix::repeat(size, 1, 1.0), constant);
            context.layer(&call.name, &call.origin, Kind::BatchNormalization(layer), &link, size)?
        }
    };
    Ok(vec![Value::Data(context.after(data, axis, link)?)])
}

fn scale(
    context: &mut Context<'_>,
    call: &Call<'_>,
    data: &Data,
    constant: &Array<f32>,
    by: impl Fn(f32) -> f32,
) -> Result<Vec<Value>> {
    let (Frames { link, size }, axis, constant) = each_feature(context, data, constant)?;
    let constant = constant.map(by);
    ensure!(constant.iter().all(|value| value.is_finite()), "a scale that is not finite");
    let layer = BatchNormalization::affine(constant, Matrix::zeros(size, 1));
    let link = context.layer(&call.name, &call.origin, Kind::BatchNormalization(layer), &link, size)?;
    Ok(vec![Value::Data(context.after(data, axis, link)?)])
}

/// Both directions of a bidirectional layer, merged value by value.
fn merged(context: &mut Context<'_>, a: &Data, b: &Data, merge: MergeMode) -> Result<Vec<Value>> {
    let ([Part::Made(first), ..], [Part::Made(second), ..]) = (&a.parts[..], &b.parts[..]) else {
        bail!("two tensors that come at run time, not both made by layers")
    };
    ensure!(a.parts.len() == 1 && b.parts.len() == 1, "directions or layers apart");
    let axis = context.features_axis(a);
    ensure!(
        axis.is_some() && axis == context.features_axis(b) && a.axes.len() == b.axes.len(),
        "tensors of other axes"
    );
    let same = (0..a.axes.len()).all(|k| Some(k) == axis || a.axes[k] == b.axes[k]);
    ensure!(same, "tensors of other axes");
    let backwards = |link: &Link| link.point().is_some_and(|point| point.goes_backwards());
    let (first, second) = if backwards(first) { (second, first) } else { (first, second) };
    let link = Link::both(first, second, merge).context("a branch beside the chain")?;
    Ok(vec![Value::Data(context.after(a, axis, link)?)])
}
