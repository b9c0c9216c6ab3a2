//! Activations with a parameter other than the default one, and their text: `leaky_relu(0.01)`.

use std::fmt;

use anyhow::{Context, Result, ensure};
use embedded_rnn::format::LayerRecord;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Activation;

/// The parameter of an activation: a finite number other than 0, by its bits, so that equality is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter(u32);

impl Parameter {
    /// Creates a parameter; `None` for 0 and for numbers that are not finite.
    pub fn new(value: f32) -> Option<Self> {
        (value.is_finite() && value != 0.0).then_some(Self::of(value))
    }

    pub(super) const fn of(value: f32) -> Self {
        Self(value.to_bits())
    }

    /// Returns the number.
    pub const fn get(self) -> f32 {
        f32::from_bits(self.0)
    }
}

impl Activation {
    /// Returns the leaky relu of this slope below 0; a relu if it is 0, `None` if it is not finite.
    pub fn leaky_relu(slope: f32) -> Option<Self> {
        if slope == 0.0 { Some(Self::Relu) } else { Parameter::new(slope).map(Self::LeakyRelu) }
    }

    /// Returns the elu of this alpha; a relu if it is 0, `None` if it is not finite.
    pub fn elu(alpha: f32) -> Option<Self> {
        if alpha == 0.0 { Some(Self::Relu) } else { Parameter::new(alpha).map(Self::Elu) }
    }

    /// Returns the parameter; `None` if the function has none, or the default one.
    pub fn own_parameter(self) -> Option<f32> {
        match self {
            Self::LeakyRelu(parameter) | Self::Elu(parameter) if !Self::ALL.contains(&self) => {
                Some(parameter.get())
            }
            _ => None,
        }
    }

    /// Returns the activation of a record, with its parameter.
    pub fn of_record(record: &LayerRecord) -> Option<Self> {
        let activation = Self::from_code(record.activation)?;
        let Some(parameter) = Parameter::new(record.activation_parameter) else { return Some(activation) };
        Some(activation.with_parameter(parameter).unwrap_or(activation))
    }

    /// Reads a name, which a parameter in parentheses may follow.
    ///
    /// # Errors
    /// An unknown name, or a parameter that the function does not have.
    pub fn parsed(text: &str) -> Result<Self> {
        let (name, parameter) = split(text);
        let activation = Self::from_keras_name(name).with_context(|| format!("unknown function {name}"))?;
        activation.with_text(parameter)
    }

    fn with_parameter(self, parameter: Parameter) -> Option<Self> {
        match self {
            Self::LeakyRelu(_) => Some(Self::LeakyRelu(parameter)),
            Self::Elu(_) => Some(Self::Elu(parameter)),
            _ => None,
        }
    }

    fn with_text(self, parameter: Option<&str>) -> Result<Self> {
        let Some(text) = parameter else { return Ok(self) };
        let number = text.strip_suffix(')').and_then(|number| number.trim().parse().ok());
        let number = number.and_then(Parameter::new);
        let number = number.with_context(|| format!("{self}: the parameter is no number other than 0"))?;
        let with = self.with_parameter(number);
        ensure!(with.is_some(), "{self}: the function has no parameter");
        Ok(with.unwrap_or(self))
    }
}

/// Splits a text at its first parenthesis.
fn split(text: &str) -> (&str, Option<&str>) {
    text.split_once('(').map_or((text, None), |(name, parameter)| (name, Some(parameter)))
}

/// Writes the name, and a parameter other than the default one.
impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.keras_name())?;
        self.own_parameter().map_or(Ok(()), |parameter| write!(f, "({parameter})"))
    }
}

impl Serialize for Activation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Activation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (name, parameter) = split(&text);
        let activation = Self::ALL.iter().find(|activation| activation.keras_name() == name);
        let activation = activation.ok_or_else(|| D::Error::unknown_variant(name, Self::NAMES))?;
        activation.with_text(parameter).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_back() {
        for activation in Activation::ALL {
            assert_eq!(Activation::parsed(activation.keras_name()).unwrap(), *activation);
            assert_eq!(activation.to_string(), activation.keras_name());
        }
        for text in ["leaky_relu(0.01)", "leaky_relu(-3)", "elu(1.5)"] {
            assert_eq!(Activation::parsed(text).unwrap().to_string(), text);
        }
        assert_eq!(Activation::parsed("leaky_relu(0.2)").unwrap().to_string(), "leaky_relu");
        assert_eq!(Activation::parsed("elu( 1e0 )").unwrap().to_string(), "elu");
    }

    #[test]
    fn other_texts_are_rejected() {
        for (text, expected) in [
            ("leaky", "unknown function leaky"),
            ("leaky_relu(0)", "leaky_relu: the parameter is no number other than 0"),
            ("leaky_relu(inf)", "leaky_relu: the parameter is no number other than 0"),
            ("leaky_relu(0.1", "leaky_relu: the parameter is no number other than 0"),
            ("elu(1)x", "elu: the parameter is no number other than 0"),
            ("tanh(1)", "tanh: the function has no parameter"),
        ] {
            assert_eq!(Activation::parsed(text).unwrap_err().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn a_parameter_of_0_is_a_relu() {
        assert_eq!(Activation::leaky_relu(-0.0), Some(Activation::Relu));
        assert_eq!(Activation::elu(0.0), Some(Activation::Relu));
        assert_eq!(Activation::leaky_relu(0.2).unwrap().own_parameter(), None);
        assert_eq!(Activation::elu(0.2).unwrap().own_parameter(), Some(0.2));
        assert_eq!(Activation::leaky_relu(f32::NAN), None);
    }
}
