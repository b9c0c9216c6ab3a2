//! Activations as configs name them.
//!
//! `hard_sigmoid` is `clip(0.2 x + 0.5, 0, 1)` in Keras 2 (`backend.hard_sigmoid` in keras/backend.py) and
//! `relu6(x + 3) / 6` from Keras 3.0.0 on (`hard_sigmoid` in keras/src/backend/*/nn.py): the version of the
//! file decides.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::dict::{ConfigDict, rejection};
use super::layer_config::LayerConfig;
use super::version::KerasVersion;
use embedded_rnn_nn::activation::Activation;

/// Reads the activation of an option: a name, a function, or a layer that is an activation.
///
/// # Errors
/// An unknown activation, or one that the runtime does not support.
pub fn read(version: KerasVersion, key: &str, options: &mut ConfigDict) -> Result<Activation> {
    let value = options.required(key)?;
    let unknown = || rejection(key, &value, "unknown");
    match &value {
        Value::String(name) => named(version, name).with_context(unknown),
        Value::Object(object) if object.get("class_name").is_some_and(|class| class == "function") => {
            let Some(Value::String(name)) = object.get("config") else { return Err(unknown()) };
            let is_one_of = |key: &str, names: &[&str]| {
                object.get(key).is_none_or(|found| found.is_null() || names.iter().any(|name| found == name))
            };
            ensure!(is_one_of("module", &["builtins", "keras.activations"]), unknown());
            ensure!(is_one_of("registered_name", &["function", name.as_str()]), unknown());
            named(version, name).with_context(unknown)
        }
        Value::Object(_) => of_config(value.clone()).with_context(|| key.to_owned()),
        _ => Err(unknown()),
    }
}

/// Reads the activation of an option of a cell.
///
/// # Errors
/// As [`read`], or another parameter than the default one.
pub fn of_cell(version: KerasVersion, key: &str, options: &mut ConfigDict) -> Result<Activation> {
    let activation = read(version, key, options)?;
    ensure!(
        activation.own_parameter().is_none(),
        "{key} {activation}: only {} is supported in a cell",
        activation.keras_name()
    );
    Ok(activation)
}

/// Returns the activation with this name in Keras.
fn named(version: KerasVersion, name: &str) -> Option<Activation> {
    match (version, Activation::from_keras_name(name)?) {
        // Only this project's own configs use this name.
        (_, Activation::HardSigmoidKeras1) => None,
        (KerasVersion::Keras2, Activation::HardSigmoid) => Some(Activation::HardSigmoidKeras1),
        (_, activation) => Some(activation),
    }
}

/// Reads a layer in the place of an activation.
fn of_config(value: Value) -> Result<Activation> {
    let LayerConfig { class, name, mut options, .. } = LayerConfig::read(value)?;
    let mut read = || {
        options.ignore_training()?;
        // Only -1 is the last axis, as the number of axes is unknown here.
        let activation = match of_layer(&class, &mut options, -1)? {
            Some(LayerFunction::Named(activation)) => activation,
            Some(LayerFunction::Limited(limit)) => bail!("max_value {limit}: only 6 or null is supported"),
            None => bail!("class_name {class}: not supported"),
        };
        options.clone().finish().map(|()| activation)
    };
    read().with_context(|| name)
}

/// The function of a layer that is an activation.
pub enum LayerFunction {
    /// An activation of the runtime.
    Named(Activation),
    /// `clip(x, 0, limit)`
    Limited(f32),
}

/// Returns the function of a layer class; `None` for any other class. `last` is another index of the last
/// axis.
///
/// # Errors
/// Parameters that no layer of the runtime has.
pub fn of_layer(class: &str, options: &mut ConfigDict, last: i64) -> Result<Option<LayerFunction>> {
    let named = match class {
        "ReLU" => return relu(options).map(Some),
        "LeakyReLU" => {
            // Keras 2 names it alpha.
            let key = if options.has("alpha") { "alpha" } else { "negative_slope" };
            leaky(key, options.number(key)? as f32)?
        }
        "ELU" => {
            // Keras 3.0 leaves out the default of 1.
            let alpha = if options.has("alpha") { options.number("alpha")? as f32 } else { 1.0 };
            Activation::elu(alpha).with_context(|| format!("alpha {alpha}: not a finite f32"))?
        }
        "Softmax" => {
            last_axis(options, last)?;
            Activation::Softmax
        }
        _ => return Ok(None),
    };
    Ok(Some(LayerFunction::Named(named)))
}

fn relu(options: &mut ConfigDict) -> Result<LayerFunction> {
    options.only("threshold", &[0.into()], "only 0 is supported")?;
    let key = "negative_slope";
    let slope = if options.has(key) { options.number(key)? as f32 } else { 0.0 };
    let function = leaky(key, slope)?;
    let Some(value) = options.take("max_value") else { return Ok(LayerFunction::Named(function)) };
    let limit = value.as_f64().map(|limit| limit as f32).filter(|&limit| limit > 0.0 && limit.is_finite());
    let limit = limit.ok_or_else(|| rejection("max_value", &value, "expected a positive number or null"))?;
    ensure!(slope == 0.0, "{key} {slope}: only 0 is supported with max_value");
    Ok(if limit == 6.0 { LayerFunction::Named(Activation::Relu6) } else { LayerFunction::Limited(limit) })
}

/// Returns the leaky relu of a slope below 0; a relu if it is 0.
fn leaky(key: &str, slope: f32) -> Result<Activation> {
    Activation::leaky_relu(slope).with_context(|| format!("{key} {slope}: not a finite f32"))
}

/// Checks that the axis is the last one.
///
/// # Errors
/// Another axis.
pub fn last_axis(options: &mut ConfigDict, last: i64) -> Result<()> {
    let supported = [Value::from(-1), last.into(), vec![-1].into(), vec![last].into()];
    options.only("axis", &supported, "only the last axis is supported")
}
