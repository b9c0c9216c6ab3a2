//! The version of Keras that wrote a file.

use anyhow::{Result, bail};

/// The major version of Keras.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KerasVersion {
    /// 2.x, on its own or in TensorFlow.
    Keras2,
    /// 3.x.
    Keras3,
}

impl KerasVersion {
    /// Parses a version such as `3.8.0`.
    ///
    /// # Errors
    /// Another major version than 2 and 3.
    pub fn parse(version: &str) -> Result<Self> {
        match version.split('.').next() {
            Some("2") => Ok(Self::Keras2),
            Some("3") => Ok(Self::Keras3),
            _ => bail!("keras_version {version:?}: only files of Keras 2 and 3 are supported"),
        }
    }
}
