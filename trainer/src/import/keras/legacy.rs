//! `.h5` files: the config and the weights of a whole model, as Keras 2 writes them and Keras 3 still does.

use anyhow::{Context, Result, bail};

use super::hdf5::Hdf5;
use super::weights::Weights;
use super::{Source, Version};

/// What the file says.
///
/// # Errors
/// No such file, or weights alone.
pub fn read(bytes: Vec<u8>) -> Result<Source> {
    let file = Hdf5::new(bytes)?;
    let Some(config) = file.texts("/", "model_config")? else {
        bail!("model_config: missing: the file holds weights alone; write the model with model.save(FILE)");
    };
    let version = file.texts("/", "keras_version")?;
    let version = version.and_then(|version| version.first().map(|version| Version::parse(version)));
    let version = version.context("keras_version: missing")??;
    let config = serde_json::from_str(&config.concat()).context("model_config")?;
    Ok(Source { version, config, weights: Weights::of_h5(file)?, place: "model_weights" })
}
