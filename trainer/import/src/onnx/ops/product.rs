//! Matrix products: a Dense layer.

use anyhow::{Context as _, Result, bail, ensure};

use crate::onnx::array::Array;
use crate::onnx::call::{Call, column, matrix};
use crate::onnx::context::{FrameInput, GraphContext};
use crate::onnx::value::{Data, Value};
use embedded_rnn_nn::activation::Activation;
use embedded_rnn_nn::layers::{Dense, Kind};
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
    dense(context, call, &data, 1, (weight, bias))
}

/// Evaluates `MatMul` of the data, whose last axis is the features, and weights.
pub fn mat_mul(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(2)?;
    let data = call.data(0)?;
    let weights = call.weights(1)?.context("B: missing")?;
    let weight = matrix(&weights).context("B")?.transpose();
    let last = data.axes.len().checked_sub(1).context("data without axes")?;
    dense(context, call, &data, last, (weight, None))
}

/// Evaluates `Conv` with a kernel of size 1: a matrix product over axis 1.
pub fn conv(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(3)?;
    let data = call.data(0)?;
    let weights = call.weights(1)?.context("W: missing")?;
    let &[rows, columns, ref kernel @ ..] = weights.shape() else {
        bail!("W: shape {:?}, expected at least three axes", weights.shape())
    };
    ensure!(kernel.iter().all(|&len| len == 1), "W: a kernel of size {kernel:?}: only 1 is supported");
    ensure!(data.axes.len() == weights.shape().len(), "X: {} axes", data.axes.len());
    call.only("group", 1)?;
    for (name, only) in [("kernel_shape", 1), ("strides", 1), ("pads", 0)] {
        let given = call.attributes.ints(name)?.unwrap_or_default();
        ensure!(given.iter().all(|&value| value == only), "{name} {given:?}: only {only} is supported");
    }
    // Neither has an effect on a kernel of size 1.
    call.attributes.ints("dilations")?;
    call.attributes.text("auto_pad")?;
    let weight = Matrix::from_row_slice(rows, columns, weights.values());
    let bias = call.weights(2)?.map(|bias| column(&bias, rows).context("B")).transpose()?;
    dense(context, call, &data, 1, (weight, bias))
}

/// Adds a Dense layer whose input features lie along `axis`.
fn dense(
    context: &mut GraphContext<'_>,
    call: &Call<'_>,
    data: &Data,
    axis: usize,
    (weight, bias): (Matrix<f32>, Option<Matrix<f32>>),
) -> Result<Vec<Value>> {
    let held = if data.axes[axis].is_empty() { None } else { Some(axis) };
    let (rows, columns) = weight.shape();
    context.fix_size(&data.axes[axis], columns);
    let FrameInput { edge, size } = context.frame_input(data, held)?;
    ensure!(columns == size, "weights of {columns} input features, but the input has {size}");
    ensure!(rows > 0, "no output features");
    context.spend(weight.len())?;
    let use_bias = bias.is_some();
    let bias = bias.unwrap_or_else(|| Matrix::zeros(rows, 1));
    let kind = Kind::Dense(Dense { weight, bias, activation: Activation::Linear, use_bias });
    let edge = context.add_layer(&call.name, &call.origin, kind, &edge, rows)?;
    Ok(vec![Value::Data(context.data_after(data, Some(axis), edge)?)])
}

/// Returns one value or `rows` values as a column.
fn broadcast(array: &Array<f32>, rows: usize) -> Result<Matrix<f32>> {
    match array.single() {
        Some(&value) => Ok(Matrix::repeat(rows, 1, value)),
        None => column(array, rows),
    }
}
