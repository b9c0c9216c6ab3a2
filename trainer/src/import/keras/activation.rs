//! Activations as configs name them.
//!
//! `hard_sigmoid` is `clip(0.2 x + 0.5, 0, 1)` in Keras 2 (`backend.hard_sigmoid` in keras/backend.py) and
//! `relu6(x + 3) / 6` from Keras 3.0.0 on (`hard_sigmoid` in keras/src/backend/*/nn.py): the version of the file decides.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::Version;
use super::graph::Entry;
use super::options::{Options, refusal};
use crate::activation::Activation;

/// The activation that an option names, as a text, a function, or a layer that is one.
///
/// # Errors
/// None of Keras's, or one that the runtime does not have.
pub fn read(version: Version, key: &str, options: &mut Options) -> Result<Activation> {
    let value = options.needed(key)?;
    let not_known = || refusal(key, &value, "not known");
    match &value {
        Value::String(name) => named(version, name).with_context(not_known),
        Value::Object(object) if object.get("class_name").is_some_and(|class| class == "function") => {
            let Some(Value::String(name)) = object.get("config") else { return Err(not_known()) };
            let is_kerass = |key: &str, names: &[&str]| {
                object.get(key).is_none_or(|found| found.is_null() || names.iter().any(|name| found == name))
            };
            ensure!(is_kerass("module", &["builtins", "keras.activations"]), not_known());
            ensure!(is_kerass("registered_name", &["function", name.as_str()]), not_known());
            named(version, name).with_context(not_known)
        }
        Value::Object(_) => of_object(value.clone()).with_context(|| key.to_owned()),
        _ => Err(not_known()),
    }
}

/// By Keras's name.
fn named(version: Version, name: &str) -> Option<Activation> {
    match (version, Activation::from_keras_name(name)?) {
        // Only our own configs call it so.
        (_, Activation::HardSigmoidKeras1) => None,
        (Version::Keras2, Activation::HardSigmoid) => Some(Activation::HardSigmoidKeras1),
        (_, activation) => Some(activation),
    }
}

/// Of a layer that stands in the place of an activation.
fn of_object(value: Value) -> Result<Activation> {
    let Entry { class, name, mut options, .. } = Entry::read(value)?;
    let mut read = || {
        options.common()?;
        // Nothing but the last axis is over the features, whatever the number of axes.
        let activation =
            of_layer(&class, &mut options, -1)?.with_context(|| format!("class_name {class}: not read"))?;
        options.clone().finish().map(|()| activation)
    };
    read().with_context(|| name)
}

/// The activation that a layer of this class is; none if it is something else. `last` is another name of the last axis.
///
/// # Errors
/// Parameters that no activation of the runtime has.
pub fn of_layer(class: &str, options: &mut Options, last: i64) -> Result<Option<Activation>> {
    Ok(Some(match class {
        "ReLU" => {
            options.only("negative_slope", &[0.into()], "only 0 is read")?;
            options.only("threshold", &[0.into()], "only 0 is read")?;
            match options.take("max_value") {
                None => Activation::Relu,
                Some(most) if most.as_f64() == Some(6.0) => Activation::Relu6,
                Some(other) => return Err(refusal("max_value", &other, "only 6 is read, or none")),
            }
        }
        "LeakyReLU" => {
            // Keras 2 calls it alpha.
            let key = if options.has("alpha") { "alpha" } else { "negative_slope" };
            let slope = options.number(key)?;
            if slope as f32 != 0.2 {
                bail!("{key} {slope}: only 0.2 is read");
            }
            Activation::LeakyRelu
        }
        "ELU" => {
            options.only("alpha", &[1.into()], "only 1 is read")?;
            Activation::Elu
        }
        "Softmax" => {
            last_axis(options, last)?;
            Activation::Softmax
        }
        _ => return Ok(None),
    }))
}

/// Refuses an axis other than the last.
///
/// # Errors
/// It is another.
pub fn last_axis(options: &mut Options, last: i64) -> Result<()> {
    let plain = [Value::from(-1), last.into(), vec![-1].into(), vec![last].into()];
    options.only("axis", &plain, "only the last axis is read")
}
