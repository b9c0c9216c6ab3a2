//! Normalizations, as they are in use.

use anyhow::{Context as _, Result, ensure};

use crate::import::onnx::call::{Call, column};
use crate::import::onnx::context::{Context, Frames};
use crate::import::onnx::value::{Value, axis_of};
use crate::layers::{BatchNormalization, Kind, LayerNormalization};
use crate::tensor::Matrix;

/// The epsilon of both operators where a file gives none.
const EPSILON: f32 = 1e-5;

/// `BatchNormalization`: axis 1 is the features.
pub fn batch(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(5)?;
    call.only("training_mode", 0)?;
    call.only("spatial", 1)?;
    // Of training only.
    call.attributes.float("momentum")?;
    let epsilon = call.attributes.float("epsilon")?.unwrap_or(EPSILON);
    let data = call.data(0)?;
    ensure!(data.axes.len() >= 2, "an input of {} axes", data.axes.len());
    let Frames { link, size } = context.frames(&data, Some(1))?;
    let mut of = |place: usize, name: &'static str| -> Result<Matrix<f32>> {
        let array = call.weights(place)?.with_context(|| format!("{name}: not given"))?;
        context.spend(size)?;
        column(&array, size).context(name)
    };
    let kind = Kind::BatchNormalization(BatchNormalization {
        gamma: of(1, "scale")?,
        beta: of(2, "B")?,
        moving_mean: of(3, "input_mean")?,
        moving_variance: of(4, "input_var")?,
        momentum: 0.99,
        epsilon,
    });
    let link = context.layer(&call.name, &call.origin, kind, &link, size)?;
    Ok(vec![Value::Data(context.after(&data, Some(1), link)?)])
}

/// `LayerNormalization` over the features, which must be the last axis.
pub fn layer(context: &mut Context<'_>, call: &mut Call<'_>) -> Result<Vec<Value>> {
    call.at_most(3)?;
    let data = call.data(0)?;
    let last = data.axes.len().checked_sub(1).context("data without axes")?;
    let axis = axis_of(call.attributes.int("axis")?.unwrap_or(-1), last + 1)?;
    ensure!(axis == last, "axis {axis}: over more axes than the features");
    // In what kind of float it is computed.
    call.attributes.int("stash_type")?;
    let epsilon = call.attributes.float("epsilon")?.unwrap_or(EPSILON);
    let Frames { link, size } = context.frames(&data, Some(last))?;
    let gamma = call.weights(1)?.context("Scale: not given")?;
    let beta = match call.weights(2)? {
        Some(beta) => column(&beta, size).context("B")?,
        None => Matrix::zeros(size, 1),
    };
    let kind = Kind::LayerNormalization(LayerNormalization {
        gamma: column(&gamma, size).context("Scale")?,
        beta,
        epsilon,
    });
    let link = context.layer(&call.name, &call.origin, kind, &link, size)?;
    Ok(vec![Value::Data(context.after(&data, Some(last), link)?)])
}
