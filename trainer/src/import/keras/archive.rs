//! `.keras` files: a zip of `metadata.json`, `config.json` and `model.weights.h5`.

use std::io::{Cursor, Read};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use zip::ZipArchive;

use super::hdf5::{Hdf5, MOST_TEXT};
use super::weights::Weights;
use super::{Source, Version};
use crate::import::MOST_BYTES;

/// What the file says.
///
/// # Errors
/// No such archive, or one that unfolds to too much.
pub fn read(bytes: &[u8]) -> Result<Source> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).context("not a .keras file")?;
    let mut part = |name: &str, most: u64| -> Result<Vec<u8>> {
        let mut read = || -> Result<Vec<u8>> {
            let entry = archive.by_name(name)?;
            let mut bytes = Vec::new();
            // What the archive claims of the size is not believed.
            entry.take(most + 1).read_to_end(&mut bytes)?;
            ensure!(bytes.len() as u64 <= most, "more than {most} bytes");
            Ok(bytes)
        };
        read().with_context(|| name.to_owned())
    };
    let metadata: Value =
        serde_json::from_slice(&part("metadata.json", MOST_TEXT as u64)?).context("metadata.json")?;
    let version = metadata.get("keras_version").and_then(Value::as_str);
    let version = Version::parse(version.context("metadata.json: keras_version: missing")?)?;
    let config = serde_json::from_slice(&part("config.json", MOST_TEXT as u64)?).context("config.json")?;
    let weights = part("model.weights.h5", MOST_BYTES)?;
    let weights = Hdf5::new(weights).and_then(Weights::of_archive).context("model.weights.h5")?;
    Ok(Source { version, config, weights, place: "model.weights.h5" })
}
