//! Normalizations in inference.

use anyhow::{Context as _, Result, ensure};

use crate::onnx::call::{Call, column};
use crate::onnx::context::{FrameInput, GraphContext};
use crate::onnx::value::{Value, axis_index};
use crate::variance::check_variances;
use embedded_rnn_nn::layers::{BatchNormalization, Kind, LayerNormalization};
use embedded_rnn_nn::tensor::Matrix;

/// The default epsilon of both operators.
const EPSILON: f32 = 1e-5;

/// Evaluates `BatchNormalization`, whose features lie along axis 1.
pub fn batch(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(5)?;
    call.only("training_mode", 0)?;
    call.only("spatial", 1)?;
    // The momentum matters in training only.
    call.attributes.float("momentum")?;
    let epsilon = call.attributes.float("epsilon")?.unwrap_or(EPSILON);
    let data = call.data(0)?;
    ensure!(data.axes.len() >= 2, "an input of {} axes", data.axes.len());
    if let Some(scale) = call.floats(1)? {
        context.fix_size(&data.axes[1], scale.values().len());
    }
    let FrameInput { edge, size } = context.frame_input(&data, Some(1))?;
    let mut column_of = |index: usize, name: &'static str| -> Result<Matrix<f32>> {
        let array = call.weights(index)?.with_context(|| format!("{name}: missing"))?;
        context.spend(size)?;
        column(&array, size).context(name)
    };
    let (gamma, beta) = (column_of(1, "scale")?, column_of(2, "B")?);
    let (moving_mean, moving_variance) = (column_of(3, "input_mean")?, column_of(4, "input_var")?);
    check_variances(&moving_variance, epsilon).context("input_var")?;
    let layer = BatchNormalization { gamma, beta, moving_mean, moving_variance, momentum: 0.99, epsilon };
    let kind = Kind::BatchNormalization(layer);
    let edge = context.add_layer(&call.name, &call.origin, kind, &edge, size)?;
    Ok(vec![Value::Data(context.data_after(&data, Some(1), edge)?)])
}

/// Evaluates `LayerNormalization` over the features, which must be the last axis.
pub fn layer(context: &mut GraphContext<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(3)?;
    let data = call.data(0)?;
    let last = data.axes.len().checked_sub(1).context("data without axes")?;
    let axis = axis_index(call.attributes.int("axis")?.unwrap_or(-1), last + 1)?;
    ensure!(axis == last, "axis {axis}: spans more than the feature axis");
    // The float type of the computation.
    call.attributes.int("stash_type")?;
    let epsilon = call.attributes.float("epsilon")?.unwrap_or(EPSILON);
    ensure!(epsilon > 0.0, "epsilon {epsilon}: not positive");
    let gamma = call.weights(1)?.context("Scale: missing")?;
    context.fix_size(&data.axes[last], gamma.values().len());
    let FrameInput { edge, size } = context.frame_input(&data, Some(last))?;
    let beta = match call.weights(2)? {
        Some(beta) => column(&beta, size).context("B")?,
        None => Matrix::zeros(size, 1),
    };
    let kind = Kind::LayerNormalization(LayerNormalization {
        gamma: column(&gamma, size).context("Scale")?,
        beta,
        epsilon,
    });
    let edge = context.add_layer(&call.name, &call.origin, kind, &edge, size)?;
    Ok(vec![Value::Data(context.data_after(&data, Some(last), edge)?)])
}
