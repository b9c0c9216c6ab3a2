//! Layers that scale and shift every feature by constants: `Normalization` and `Rescaling`.

use anyhow::{Result, ensure};
use serde_json::Value;

use super::dict::{ConfigDict, rejection};
use super::naming::SubLayer;
use super::weights::LayerWeights;
use embedded_rnn_nn::layers::{BatchNormalization, Kind, Normalization};
use embedded_rnn_nn::tensor::Matrix;

/// Reads a `Normalization` over the last of `axes` axes, that of the batch included. `is_first` means that
/// there is no layer before it.
///
/// # Errors
/// Statistics of other axes, or without a square root.
pub fn normalization(
    options: &mut ConfigDict,
    weights: &mut LayerWeights<'_>,
    sub_layer: SubLayer,
    (axes, features): (i64, usize),
    is_first: bool,
) -> Result<Kind<f32>> {
    let axis = options.required("axis")?;
    let per_feature = axis == Value::from(vec![-1]) || axis == Value::from(vec![axes - 1]);
    let is_supported = per_feature || axis.as_array().is_some_and(Vec::is_empty);
    ensure!(is_supported, rejection("axis", &axis, "only the last axis or none is supported"));
    let is_inverse = options.flag("invert", false)?;
    let [mean, variance] = if options.has("mean") {
        [constants(options, "mean", features)?, constants(options, "variance", features)?]
    } else {
        let shape = if per_feature { vec![features] } else { Vec::new() };
        let found = weights.array_tuple(sub_layer, [("mean", shape.clone()), ("variance", shape)])?;
        // The number of frames that they were measured on.
        weights.skip(sub_layer, "count")?;
        found.map(|found| column(found.values(), features))
    };
    ensure!(variance.iter().all(|&variance| variance >= 0.0), "variance: negative");
    Ok(match (is_inverse, is_first) {
        (false, true) => Kind::Normalization(Normalization { mean, variance }),
        (false, false) => Kind::BatchNormalization(centered(Normalization { mean, variance })),
        (true, _) => {
            let deviation = Normalization { mean: mean.clone(), variance }.deviation();
            Kind::BatchNormalization(BatchNormalization::affine(deviation, mean))
        }
    })
}

/// Reads a `Rescaling`: `y = scale * x + offset`.
///
/// # Errors
/// Numbers for another number of features.
pub fn rescaling(options: &mut ConfigDict, features: usize) -> Result<Kind<f32>> {
    let [scale, offset] = [constants(options, "scale", features)?, constants(options, "offset", features)?];
    Ok(Kind::BatchNormalization(BatchNormalization::affine(scale, offset)))
}

/// Converts a normalization that is not the first layer.
fn centered(layer: Normalization<f32>) -> BatchNormalization<f32> {
    let scale = layer.deviation().map(|deviation| 1.0 / deviation);
    let zeros = Matrix::zeros(scale.nrows(), 1);
    BatchNormalization { moving_mean: layer.mean, ..BatchNormalization::affine(scale, zeros) }
}

/// Removes and returns a number per feature, or one for all.
fn constants(options: &mut ConfigDict, key: &str, features: usize) -> Result<Matrix<f32>> {
    let value = options.required(key)?;
    let list = match value.get("class_name") {
        Some(class) if class == "__numpy__" => value.pointer("/config/value").unwrap_or(&value),
        _ => &value,
    };
    let numbers = match list {
        Value::Array(numbers) => numbers.iter().map(Value::as_f64).collect(),
        number => number.as_f64().map(|number| vec![number]),
    };
    let numbers: Option<Vec<f32>> =
        numbers.map(|numbers: Vec<f64>| numbers.into_iter().map(|number| number as f32).collect());
    let fits = |numbers: &Vec<f32>| {
        [1, features].contains(&numbers.len()) && numbers.iter().all(|number| number.is_finite())
    };
    let reason = format!("expected a number, or {features} numbers");
    let numbers = numbers.filter(fits).ok_or_else(|| rejection(key, &value, &reason))?;
    Ok(column(&numbers, features))
}

/// Returns a value per feature, of one value or of as many.
fn column(values: &[f32], features: usize) -> Matrix<f32> {
    Matrix::from_fn(features, 1, |k, _| values[if values.len() == 1 { 0 } else { k }])
}
