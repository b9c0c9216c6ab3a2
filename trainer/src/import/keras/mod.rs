//! Keras: `.keras` files of Keras 3 and of the last versions of Keras 2, `.h5` and `.hdf5` files of both.
//!
//! Models are `Sequential`, or `Functional` with layers in a row. What reaches a trained network from its config is read
//! or refused by name (`options`); `archive` and `legacy` are the two kinds of files, `hdf5` what both stand on,
//! `weights` and `naming` which arrays are whose, `graph` and `node` the order of the layers, `layers`, `framewise` and
//! `recurrent` the layers.
//!
//! A model without a time axis, over `[n, features]`, is one over sequences of one frame, `[n, 1, features]`. Masks do in the
//! runtime what they do in Keras to all frames that count; what is answered to one that does not is nothing to go by.

mod activation;
mod archive;
mod framewise;
mod graph;
mod hdf5;
mod layers;
mod legacy;
mod naming;
mod node;
mod options;
mod recurrent;
mod weights;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use self::graph::{Entry, Graph};
use self::layers::{Builder, has_weights};
use self::weights::{LayerWeights, Weights};
use super::Imported;

/// What a file says.
struct Source {
    version: Version,
    config: Value,
    weights: Weights,
    /// What in the file has the weights.
    place: &'static str,
}

/// Which Keras wrote a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    /// 2.x, on its own or in TensorFlow.
    Keras2,
    /// 3.x.
    Keras3,
}

impl Version {
    fn parse(version: &str) -> Result<Self> {
        match version.split('.').next() {
            Some("2") => Ok(Self::Keras2),
            Some("3") => Ok(Self::Keras3),
            _ => bail!("keras_version {version:?}: only files of Keras 2 and 3 are read"),
        }
    }
}

/// Reads the bytes of a file. The model's name is its own, or `name` if it has none.
///
/// # Errors
/// What is not understood, by layer and attribute.
pub fn read(bytes: Vec<u8>, name: &str) -> Result<Imported> {
    let source = match bytes.first_chunk() {
        Some(b"PK\x03\x04") => archive::read(&bytes),
        // Keras 2.12 gives such files the name .keras too.
        Some(b"\x89HDF") => legacy::read(bytes),
        _ => bail!("neither a .keras nor an .h5 file by its first bytes"),
    };
    let Source { version, config, mut weights, place } = source?;
    let Graph { name: own_name, input, mut layers, order } = graph::read(config)?;
    // Arrays are numbered in the order of the config, which need not be that in which layers follow each other.
    let group = |entry: &Entry| weights.group(&entry.class, &entry.name, has_weights(entry));
    let groups: Vec<String> = layers.iter().map(group).collect();
    let own = weights.group("InputLayer", &input.name, false);
    weights.layer(&own, &input.name).and_then(LayerWeights::finish).context(place)?;
    let first = order.first().map_or("", |&first| layers[first].class.as_str());
    let mut builder = Builder::new(version, &input, first)
        .with_context(|| if input.name.is_empty() { "input" } else { &input.name }.to_owned())?;
    for at in order {
        let entry = &mut layers[at];
        let name = entry.name.clone();
        let own = weights.layer(&groups[at], &name);
        let pushed = own.context(place).and_then(|own| builder.push(entry, own));
        pushed.with_context(|| name)?;
    }
    weights.finish().context(place)?;
    builder.finish(if own_name.is_empty() { name } else { &own_name })
}
