//! A dictionary of the config. Every option must be read, or be listed as one without effect; options left
//! over are rejected.

use std::fmt;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::{Map, Value};

/// The maximum number of features, units and ids, as in the trainer's own configs.
const MAX_SIZE: u64 = 1 << 24;

/// Options without effect in inference: initialization, and options of the training.
const TRAINING_ONLY: [&str; 6] = ["name", "trainable", "seed", "dropout", "recurrent_dropout", "momentum"];

/// Endings of further options without effect in inference.
const TRAINING_ONLY_ENDINGS: [&str; 3] = ["_initializer", "_regularizer", "_constraint"];

/// The options that have not been read yet.
#[derive(Clone, Debug)]
pub struct ConfigDict {
    values: Map<String, Value>,
}

impl ConfigDict {
    /// Creates the dictionary of a JSON object.
    ///
    /// # Errors
    /// Another JSON value.
    pub fn new(value: Value) -> Result<Self> {
        match value {
            Value::Object(values) => Ok(Self { values }),
            other => bail!("{}: expected an object", Excerpt(&other)),
        }
    }

    /// Removes and returns an option, unless it is missing or null.
    pub fn take(&mut self, key: &str) -> Option<Value> {
        self.values.remove(key).filter(|value| !value.is_null())
    }

    /// Returns whether an option is neither missing nor null.
    pub fn has(&self, key: &str) -> bool {
        self.values.get(key).is_some_and(|value| !value.is_null())
    }

    /// Removes and returns an option.
    ///
    /// # Errors
    /// A missing option.
    pub fn required(&mut self, key: &str) -> Result<Value> {
        self.take(key).with_context(|| format!("{key}: missing"))
    }

    /// Removes and returns a string.
    ///
    /// # Errors
    /// A missing option, or another type.
    pub fn string(&mut self, key: &str) -> Result<String> {
        match self.required(key)? {
            Value::String(text) => Ok(text),
            other => Err(rejection(key, &other, "expected a string")),
        }
    }

    /// Removes and returns a boolean; `default` if it is missing.
    ///
    /// # Errors
    /// Another type.
    pub fn flag(&mut self, key: &str, default: bool) -> Result<bool> {
        match self.take(key) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(other) => Err(rejection(key, &other, "expected true or false")),
        }
    }

    /// Removes and returns a number of features, units or ids.
    ///
    /// # Errors
    /// A missing option, or a number out of range.
    pub fn size(&mut self, key: &str) -> Result<usize> {
        let value = self.required(key)?;
        // Keras writes what the user passed, which may be a float.
        let size = value
            .as_u64()
            .or_else(|| value.as_f64().filter(|size| size.fract() == 0.0).map(|size| size as u64));
        let fits = size.filter(|size| (1..=MAX_SIZE).contains(size)).map(|size| size as usize);
        fits.ok_or_else(|| rejection(key, &value, &format!("expected an integer from 1 to {MAX_SIZE}")))
    }

    /// Removes and returns a number.
    ///
    /// # Errors
    /// A missing option, or another type.
    pub fn number(&mut self, key: &str) -> Result<f64> {
        let value = self.required(key)?;
        value.as_f64().ok_or_else(|| rejection(key, &value, "expected a number"))
    }

    /// Checks that an option is missing, null or one of `supported`.
    ///
    /// # Errors
    /// Another value, with this reason.
    pub fn only(&mut self, key: &str, supported: &[Value], reason: &str) -> Result<()> {
        match self.take(key) {
            Some(value) if !supported.iter().any(|supported| is_equal(supported, &value)) => {
                Err(rejection(key, &value, reason))
            }
            _ => Ok(()),
        }
    }

    /// Checks that an option is missing, null or false.
    ///
    /// # Errors
    /// Another value, with this reason.
    pub fn off(&mut self, key: &str, reason: &str) -> Result<()> {
        self.only(key, &[Value::Bool(false)], reason)
    }

    /// Removes options without effect.
    pub fn ignore(&mut self, keys: &[&str]) {
        keys.iter().for_each(|&key| _ = self.values.remove(key));
    }

    /// Checks the dtype, and removes options that have no effect in inference in any layer.
    ///
    /// # Errors
    /// A dtype other than float32.
    pub fn ignore_training(&mut self) -> Result<()> {
        self.float32()?;
        self.ignore(&TRAINING_ONLY);
        self.values.retain(|key, _| !TRAINING_ONLY_ENDINGS.iter().any(|ending| key.ends_with(ending)));
        Ok(())
    }

    /// Checks the dtype: a name, or an object with a name.
    fn float32(&mut self) -> Result<()> {
        let Some(value) = self.take("dtype") else { return Ok(()) };
        let name = value.pointer("/config/name").unwrap_or(&value);
        // Policies of other classes quantize.
        let is_plain =
            value.get("class_name").is_none_or(|class| class == "DTypePolicy" || class == "Policy");
        ensure!(is_plain && name == "float32", rejection("dtype", &value, "only float32 is supported"));
        Ok(())
    }

    /// Checks that every option has been read.
    ///
    /// # Errors
    /// An option that is left.
    pub fn finish(self) -> Result<()> {
        match self.values.iter().find(|(_, value)| !value.is_null()) {
            Some((key, value)) => Err(rejection(key, value, "unknown")),
            None => Ok(()),
        }
    }

    /// Returns the first option that differs in `other`.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let keys = self.values.keys().chain(other.values.keys());
        let differs = |key: &&String| {
            let [own_value, other_value] =
                [self, other].map(|options| options.values.get(*key).unwrap_or(&Value::Null));
            !is_equal(own_value, other_value)
        };
        keys.into_iter().find(differs).cloned()
    }
}

/// Returns the error `KEY VALUE: REASON`.
pub fn rejection(key: &str, value: &Value, reason: &str) -> anyhow::Error {
    anyhow!("{key} {}: {reason}", Excerpt(value))
}

/// Returns whether two values are equal; numbers by value, so that 2 equals 2.0.
fn is_equal(a: &Value, b: &Value) -> bool {
    a == b || a.as_f64().is_some_and(|a| b.as_f64() == Some(a))
}

/// A value in a message: on one line, and not too long.
struct Excerpt<'a>(&'a Value);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX: usize = 60;
        let text = described(self.0);
        let short: String = text.chars().take(MAX).collect();
        f.write_str(&short)?;
        if short.len() < text.len() { f.write_str("...") } else { Ok(()) }
    }
}

/// Describes a value as JSON; a Keras object by its class and name, a tensor by the layer that produces it.
fn described(value: &Value) -> String {
    let class = value.get("class_name").and_then(Value::as_str);
    let name = ["/config/keras_history/0", "/config/name", "/config"];
    let name = name.iter().filter_map(|place| value.pointer(place)).find_map(Value::as_str);
    match (value, class, name) {
        (Value::Array(values), ..) => {
            // The message shows no more of them.
            let values: Vec<_> = values.iter().take(20).map(described).collect();
            format!("[{}]", values.join(", "))
        }
        (_, Some("__keras_tensor__"), Some(name)) => name.to_owned(),
        (_, Some(class), Some(name)) => format!("{class} {name}"),
        (_, Some(class), None) => class.to_owned(),
        _ => value.to_string(),
    }
}
