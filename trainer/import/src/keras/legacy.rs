//! `.h5` files: the config and the weights of a whole model, as Keras 2 writes them and Keras 3 still can.

use anyhow::{Context, Result, bail};

use super::hdf5::Hdf5;
use super::source::ModelSource;
use super::version::KerasVersion;
use super::weight_store::WeightStore;

/// Reads the config and the weights.
///
/// # Errors
/// A file that is not HDF5, or contains weights only.
pub fn read(bytes: Vec<u8>) -> Result<ModelSource> {
    let file = Hdf5::new(bytes)?;
    let Some(config) = file.strings("/", "model_config")? else {
        bail!("model_config: missing: the file contains weights only; save the model with model.save(FILE)");
    };
    let version = file.strings("/", "keras_version")?;
    let version = version.and_then(|version| version.first().map(|version| KerasVersion::parse(version)));
    let version = version.context("keras_version: missing")??;
    let config = serde_json::from_str(&config.concat()).context("model_config")?;
    Ok(ModelSource { version, config, weights: WeightStore::of_h5(file)?, place: "model_weights" })
}
