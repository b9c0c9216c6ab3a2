//! What a config says of a layer: every option is asked for or named as one without effect, and nothing may be left over.

use std::fmt;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::{Map, Value};

/// Most features, units and ids, as in the trainer's own configs.
const MOST_SIZE: u64 = 1 << 24;

/// Options that have no effect on a trained network: where its weights came from, and what training does to them.
const OF_TRAINING: [&str; 6] = ["name", "trainable", "seed", "dropout", "recurrent_dropout", "momentum"];

/// Endings of names of options that have no effect on a trained network.
const OF_TRAINING_ENDINGS: [&str; 3] = ["_initializer", "_regularizer", "_constraint"];

/// Options that are not taken yet.
#[derive(Clone, Debug)]
pub struct Options {
    values: Map<String, Value>,
}

impl Options {
    /// The keys of a JSON object.
    ///
    /// # Errors
    /// No object.
    pub fn new(value: Value) -> Result<Self> {
        match value {
            Value::Object(values) => Ok(Self { values }),
            other => bail!("{}: an object expected", Shown(&other)),
        }
    }

    /// An option, unless it is missing or null.
    pub fn take(&mut self, key: &str) -> Option<Value> {
        self.values.remove(key).filter(|value| !value.is_null())
    }

    /// Whether an option is there.
    pub fn has(&self, key: &str) -> bool {
        self.values.get(key).is_some_and(|value| !value.is_null())
    }

    /// An option that must be there.
    ///
    /// # Errors
    /// It is not.
    pub fn needed(&mut self, key: &str) -> Result<Value> {
        self.take(key).with_context(|| format!("{key}: missing"))
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// It is not.
    pub fn text(&mut self, key: &str) -> Result<String> {
        match self.needed(key)? {
            Value::String(text) => Ok(text),
            other => Err(refusal(key, &other, "a text expected")),
        }
    }

    /// True or false; `default` if it is missing.
    ///
    /// # Errors
    /// Something else.
    pub fn flag(&mut self, key: &str, default: bool) -> Result<bool> {
        match self.take(key) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(other) => Err(refusal(key, &other, "true or false expected")),
        }
    }

    /// A number of features, units or ids, which must be there.
    ///
    /// # Errors
    /// Another number, or none.
    pub fn size(&mut self, key: &str) -> Result<usize> {
        let value = self.needed(key)?;
        // Keras writes what its user gave, which may be a float.
        let size = value
            .as_u64()
            .or_else(|| value.as_f64().filter(|size| size.fract() == 0.0).map(|size| size as u64));
        let fits = size.filter(|size| (1..=MOST_SIZE).contains(size)).map(|size| size as usize);
        fits.ok_or_else(|| refusal(key, &value, &format!("not a number between 1 and {MOST_SIZE}")))
    }

    /// A number, which must be there.
    ///
    /// # Errors
    /// Another thing, or none.
    pub fn number(&mut self, key: &str) -> Result<f64> {
        let value = self.needed(key)?;
        value.as_f64().ok_or_else(|| refusal(key, &value, "a number expected"))
    }

    /// Refuses an option that is not missing, null, or one of `plain`.
    ///
    /// # Errors
    /// It is something else, for this reason.
    pub fn only(&mut self, key: &str, plain: &[Value], reason: &str) -> Result<()> {
        match self.take(key) {
            Some(value) if !plain.iter().any(|plain| same(plain, &value)) => {
                Err(refusal(key, &value, reason))
            }
            _ => Ok(()),
        }
    }

    /// Refuses an option that is set.
    ///
    /// # Errors
    /// It is set; for this reason.
    pub fn off(&mut self, key: &str, reason: &str) -> Result<()> {
        self.only(key, &[Value::Bool(false)], reason)
    }

    /// Leaves out options that have no effect.
    pub fn ignore(&mut self, keys: &[&str]) {
        keys.iter().for_each(|&key| _ = self.values.remove(key));
    }

    /// Checks the number type, and leaves out what has no effect in any layer once it is trained.
    ///
    /// # Errors
    /// Numbers other than 32-bit floats.
    pub fn common(&mut self) -> Result<()> {
        self.float32()?;
        self.ignore(&OF_TRAINING);
        self.values.retain(|key, _| !OF_TRAINING_ENDINGS.iter().any(|ending| key.ends_with(ending)));
        Ok(())
    }

    /// The type of a layer's numbers: a name, or an object that has one.
    fn float32(&mut self) -> Result<()> {
        let Some(value) = self.take("dtype") else { return Ok(()) };
        let name = value.pointer("/config/name").unwrap_or(&value);
        // A policy of another class quantizes.
        let plain = value.get("class_name").is_none_or(|class| class == "DTypePolicy" || class == "Policy");
        ensure!(plain && name == "float32", refusal("dtype", &value, "only float32 is read"));
        Ok(())
    }

    /// What is left to be taken.
    ///
    /// # Errors
    /// Something is: it is not known.
    pub fn finish(self) -> Result<()> {
        match self.values.iter().find(|(_, value)| !value.is_null()) {
            Some((key, value)) => Err(refusal(key, value, "not known")),
            None => Ok(()),
        }
    }

    /// The first option that is not the same in `other`.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let keys = self.values.keys().chain(other.values.keys());
        let differs = |key: &&String| {
            let [ours, theirs] =
                [self, other].map(|options| options.values.get(*key).unwrap_or(&Value::Null));
            !same(ours, theirs)
        };
        keys.into_iter().find(differs).cloned()
    }
}

/// `KEY VALUE: REASON`.
pub fn refusal(key: &str, value: &Value, reason: &str) -> anyhow::Error {
    anyhow!("{key} {}: {reason}", Shown(value))
}

/// Whether both say the same; numbers by their value, 2 and 2.0 alike.
fn same(a: &Value, b: &Value) -> bool {
    a == b || a.as_f64().is_some_and(|a| b.as_f64() == Some(a))
}

/// A value in a message: on one line, and not too long.
struct Shown<'a>(&'a Value);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 60;
        let text = text_of(self.0);
        let short: String = text.chars().take(MOST).collect();
        f.write_str(&short)?;
        if short.len() < text.len() { f.write_str("...") } else { Ok(()) }
    }
}

/// As JSON; of what Keras writes as an object its class and name, of a tensor the layer that it comes from.
fn text_of(value: &Value) -> String {
    let class = value.get("class_name").and_then(Value::as_str);
    let name = ["/config/keras_history/0", "/config/name", "/config"];
    let name = name.iter().filter_map(|place| value.pointer(place)).find_map(Value::as_str);
    match (value, class, name) {
        (Value::Array(values), ..) => {
            // As many as are ever shown.
            let values: Vec<_> = values.iter().take(20).map(text_of).collect();
            format!("[{}]", values.join(", "))
        }
        (_, Some("__keras_tensor__"), Some(name)) => name.to_owned(),
        (_, Some(class), Some(name)) => format!("{class} {name}"),
        (_, Some(class), None) => class.to_owned(),
        _ => value.to_string(),
    }
}
