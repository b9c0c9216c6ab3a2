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
        let activation = of_layer(&class, &mut options, -1)?
            .with_context(|| format!("class_name {class}: not supported"))?;
        options.clone().finish().map(|()| activation)
    };
    read().with_context(|| name)
}

/// Returns the activation of a layer class; `None` for any other class. `last` is another index of the last
/// axis.
///
/// # Errors
/// Parameters that no activation of the runtime has.
pub fn of_layer(class: &str, options: &mut ConfigDict, last: i64) -> Result<Option<Activation>> {
    Ok(Some(match class {
        "ReLU" => {
            options.only("negative_slope", &[0.into()], "only 0 is supported")?;
            options.only("threshold", &[0.into()], "only 0 is supported")?;
            match options.take("max_value") {
                None => Activation::Relu,
                Some(most) if most.as_f64() == Some(6.0) => Activation::Relu6,
                Some(other) => return Err(rejection("max_value", &other, "only 6 or null is supported")),
            }
        }
        "LeakyReLU" => {
            // Keras 2 names it alpha.
            let key = if options.has("alpha") { "alpha" } else { "negative_slope" };
            let slope = options.number(key)?;
            if slope as f32 != 0.2 {
                bail!("{key} {slope}: only 0.2 is supported");
            }
            Activation::LeakyRelu
        }
        "ELU" => {
            options.only("alpha", &[1.into()], "only 1 is supported")?;
            Activation::Elu
        }
        "Softmax" => {
            last_axis(options, last)?;
            Activation::Softmax
        }
        _ => return Ok(None),
    }))
}

/// Checks that the axis is the last one.
///
/// # Errors
/// Another axis.
pub fn last_axis(options: &mut ConfigDict, last: i64) -> Result<()> {
    let supported = [Value::from(-1), last.into(), vec![-1].into(), vec![last].into()];
    options.only("axis", &supported, "only the last axis is supported")
}
