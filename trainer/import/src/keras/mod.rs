//! Keras: `.keras` files of Keras 3 and of the last versions of Keras 2, `.h5` and `.hdf5` files of both.
//!
//! A file of either format is a tree of configs in JSON and a store of arrays in HDF5. The config determines
//! the network: `Sequential` models, or `Functional` ones whose layers form a chain. Then each layer takes
//! the arrays that its config implies, by path and with checked shapes. Nothing is skipped on either side: an
//! option that no layer reads, and an array that no layer takes, are errors.
//!
//! A model without a time axis, over `[batch, features]`, becomes one over sequences of one frame. Masks have
//! the same effect in the runtime as in Keras on all frames that are not masked; outputs at masked frames
//! have no meaning.
//!
//! ```text
//! .keras: a zip of config.json, model.weights.h5        .h5: attribute model_config, group model_weights
//!                archive                                                legacy
//!                      \____________________ source _____________________/
//!
//!            config tree                                   weight store
//! builder    layers one after another; takes both
//! recurrent  framewise                                     weight_store  weights of each layer
//! time_axis  affine  shapes
//! activation  composed   layers of several layers of the runtime
//! frames     data between two layers                       weights       arrays of one layer
//! graph      the chain of layers                           naming        groups and arrays in Keras's names
//! masks      operations that compute masks                 hdf5          bounded reading
//! layer_config  inbound              one layer; its inputs
//! initial_state                      constants among them
//! last_step  arithmetic  residual    operations of Functional models
//! dict       options that must be read
//! version
//! ```

mod activation;
mod affine;
mod archive;
mod arithmetic;
mod builder;
mod composed;
mod dict;
mod frames;
mod framewise;
mod graph;
mod hdf5;
mod inbound;
mod initial_state;
mod last_step;
mod layer_config;
mod legacy;
mod masks;
mod naming;
mod recurrent;
mod residual;
mod shapes;
mod source;
mod time_axis;
mod version;
mod weight_store;
mod weights;

use anyhow::{Context, Result, bail, ensure};

use self::builder::{LayerBuilder, has_weights};
use self::layer_config::{InputSpec, LayerChain, LayerConfig};
use self::source::ModelSource;
use self::weight_store::WeightStore;
use self::weights::LayerWeights;
use super::importer::Importer;
use super::stack::Imported;

/// The importer of Keras files; it has no options.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keras;

impl Importer for Keras {
    fn extensions(&self) -> &'static [&'static str] {
        &["keras", "h5", "hdf5"]
    }

    fn first_flag(&self) -> Option<&'static str> {
        None
    }

    fn read(&self, bytes: Vec<u8>, name: &str) -> Result<Imported> {
        read(bytes, name)
    }
}

/// Reads the bytes of a file. The model has its own name, or `name` if it has none.
///
/// # Errors
/// A construct that is not supported, by layer and attribute.
pub fn read(bytes: Vec<u8>, name: &str) -> Result<Imported> {
    let source = match bytes.first_chunk() {
        Some(b"PK\x03\x04") => archive::read(&bytes),
        // Keras 2.12 uses the extension .keras for such files too.
        Some(b"\x89HDF") => legacy::read(bytes),
        _ => bail!("neither a .keras nor an .h5 file by its first bytes"),
    };
    let ModelSource { version, config, mut weights, place } = source?;
    let chain = graph::read(config)?;
    let LayerChain { name: own_name, input, .. } = &chain;
    let own_name = if own_name.is_empty() { name.to_owned() } else { own_name.clone() };
    let mut builder = LayerBuilder::new(version, input, chain.first_class())
        .with_context(|| if input.name.is_empty() { "input" } else { &input.name }.to_owned())?;
    push_all(&mut builder, &mut weights, place, chain)?;
    weights.finish().context(place)?;
    builder.finish(&own_name)
}

/// Appends the layers of a model.
fn push_all(
    builder: &mut LayerBuilder,
    weights: &mut WeightStore,
    place: &'static str,
    chain: LayerChain,
) -> Result<()> {
    let LayerChain { input, mut layers, order, .. } = chain;
    // Groups are numbered in the order of the config, which may differ from the order of the layers.
    let group = |layer: &LayerConfig| match layer.is_operation {
        // No layer has such a name.
        true => format!("operation {}", layer.name),
        false => weights.group(&layer.class, &layer.name, has_weights(layer)),
    };
    let groups: Vec<String> = layers.iter().map(group).collect();
    let own = weights.group("InputLayer", &input.name, false);
    weights.layer(&own, &input.name).and_then(LayerWeights::finish).context(place)?;
    builder.note_branches(&layers);
    if !input.name.is_empty() {
        builder.note_output(&input.name);
    }
    for index in order {
        let layer = &mut layers[index];
        let name = layer.name.clone();
        let pushed = match layer.nested.take() {
            Some(nested) => push_nested(builder, weights, place, &groups[index], (layer, *nested)),
            None => {
                let own = weights.layer(&groups[index], &name).context(place);
                own.and_then(|own| builder.push(layer, own))
            }
        };
        pushed.with_context(|| name)?;
    }
    Ok(())
}

/// Appends the layers of a nested model.
fn push_nested(
    builder: &mut LayerBuilder,
    weights: &mut WeightStore,
    place: &'static str,
    group: &str,
    (layer, nested): (&LayerConfig, LayerChain),
) -> Result<()> {
    builder.check_nested(layer)?;
    let InputSpec { dtype, .. } = &nested.input;
    // Keras converts the input to this dtype.
    let is_kept = dtype == "float32" || nested.first_class() == "Embedding";
    ensure!(is_kept, "dtype {dtype}: only float32 is supported, and integers for an Embedding");
    let mut weights = weights.nested(group, &layer.name).context(place)?;
    // Names are those of one model.
    let outputs = std::mem::take(&mut builder.outputs);
    push_all(builder, &mut weights, place, nested)?;
    builder.outputs = outputs;
    builder.note_output(&layer.name);
    weights.finish().context(place)?;
    // Nor does one go out.
    builder.check_nested(layer)
}
