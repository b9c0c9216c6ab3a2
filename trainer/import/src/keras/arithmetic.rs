//! Arithmetic with a number in a Functional model: `x / 255`, `1 - x`.
//!
//! Keras 3 writes an operation such as `TrueDivide`, Keras 2 a `TFOpLambda` with the name of the function.

use anyhow::{Context, Result, bail, ensure};

use super::inbound::Operand;
use super::layer_config::LayerConfig;
use embedded_rnn_nn::layers::{BatchNormalization, Kind};
use embedded_rnn_nn::tensor::Matrix;

/// Returns whether a layer of this class is such an operation.
pub fn is_arithmetic(class: &str) -> bool {
    matches!(class, "Add" | "Subtract" | "Multiply" | "Divide" | "TrueDivide" | "Negative" | "TFOpLambda")
}

/// Reads an operation as a scale and an offset.
///
/// # Errors
/// Another function, or numbers that are not finite.
pub fn read(operation: &mut LayerConfig, features: usize) -> Result<Kind<f32>> {
    operation.options.ignore_training()?;
    let function = match operation.class.as_str() {
        "TFOpLambda" => operation.options.string("function")?,
        class => class.to_owned(),
    };
    operation.options.clone().finish()?;
    let operand = operation.operand;
    let number = || operand.context("inbound_nodes: expected a number as the other input");
    let (scale, offset) = match function.as_str() {
        "Negative" | "math.negative" => (-1.0, 0.0),
        "Multiply" | "math.multiply" => (number()?.value, 0.0),
        "Add" | "math.add" | "__operators__.add" => (1.0, number()?.value),
        "Subtract" | "math.subtract" => match number()? {
            Operand { value, is_first: true } => (-1.0, value),
            Operand { value, is_first: false } => (1.0, -value),
        },
        "Divide" | "TrueDivide" | "math.divide" | "math.truediv" => {
            let Operand { value, is_first } = number()?;
            ensure!(!is_first, "{value} divided by the input: not supported");
            (1.0 / value, 0.0)
        }
        _ => bail!("function {function}: not supported"),
    };
    let (scale, offset) = (scale as f32, offset as f32);
    ensure!(scale.is_finite() && offset.is_finite(), "scale {scale}, offset {offset}: not finite");
    let column = |value| Matrix::repeat(features, 1, value);
    Ok(Kind::BatchNormalization(BatchNormalization::affine(column(scale), column(offset))))
}
