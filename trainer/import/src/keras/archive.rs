//! `.keras` files: a zip of `metadata.json`, `config.json` and `model.weights.h5`.

use std::io::{Cursor, Read};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use zip::ZipArchive;

use super::hdf5::{Hdf5, MAX_TEXT};
use super::source::ModelSource;
use super::version::KerasVersion;
use super::weight_store::WeightStore;
use crate::limits::MAX_BYTES;

/// Reads the members of the archive.
///
/// # Errors
/// A file that is no such archive, or a member that unpacks to too many bytes.
pub fn read(bytes: &[u8]) -> Result<ModelSource> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).context("not a .keras file")?;
    let mut member =
        |name: &str, max: u64| unpacked(&mut archive, name, max).with_context(|| name.to_owned());
    let metadata: Value =
        serde_json::from_slice(&member("metadata.json", MAX_TEXT as u64)?).context("metadata.json")?;
    let version = metadata.get("keras_version").and_then(Value::as_str);
    let version = KerasVersion::parse(version.context("metadata.json: keras_version: missing")?)?;
    let config = serde_json::from_slice(&member("config.json", MAX_TEXT as u64)?).context("config.json")?;
    let weights = member("model.weights.h5", MAX_BYTES)?;
    let weights = Hdf5::new(weights).and_then(WeightStore::of_archive).context("model.weights.h5")?;
    Ok(ModelSource { version, config, weights, place: "model.weights.h5" })
}

/// Unpacks a member into as many bytes as the archive declares.
fn unpacked(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str, max: u64) -> Result<Vec<u8>> {
    let mut entry = archive.by_name(name)?;
    let declared = entry.size();
    ensure!(declared <= max, "{declared} bytes when unpacked, more than the limit of {max}");
    // Reserved at once, and never exceeded: `zip` rejects a member that is longer than declared.
    let mut bytes = Vec::with_capacity(usize::try_from(declared)?);
    entry.read_to_end(&mut bytes)?;
    Ok(bytes)
}
