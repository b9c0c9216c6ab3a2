//! From a trained network to a model file, and back.
//!
//! ```text
//! Network --float--> .ernn (f32, f16) --read--> Network --int--> .ernn (i8)
//! ```
//! `lower` leaves what runs; `form` is how a cell stands in a file, `layout` where each weight lies (runtime/FORMAT.md),
//! `parts` what a layer gives to it; `float` and `int` are the two kinds of numbers, `calibrate` the ranges that integers
//! need, `errors` what they cost, `file` the sections of a file. `random` makes networks up.

mod calibrate;
mod errors;
mod file;
mod float;
pub mod form;
mod int;
mod layout;
mod lower;
mod parts;
mod random;
mod read;

pub use calibrate::{Ranges, calibrate, sample};
pub use errors::{ErrorTable, LayerError, Quantized};
pub use file::AlignedBytes;
pub use float::{FloatWeights, rounded, write_float};
pub use int::{check_quantizable, quantize};
pub use parts::{cell_of, form_of};
pub use random::{Random, files, random_cell, recurrent_layer};
pub use read::read_float;

use std::collections::BTreeMap;

use anyhow::Context;
use parts::Parts;

use crate::layers::Kind;
use crate::net::Network;

/// What a model file says of itself beside its numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// The model's name.
    pub name: String,
    /// Where a layer came from, by its name; nothing for layers trained here. An integer model may have a layer more
    /// than its network, so places do not do for keys.
    pub origins: BTreeMap<String, String>,
    /// Names of the classes; may be empty.
    pub labels: Vec<String>,
}

impl Meta {
    /// Where a layer came from. A part of it, `NAME/PART`, came from there too: a direction, a function of its own in integers.
    fn origin(&self, layer: &str) -> &str {
        let whole = || layer.rsplit_once('/').and_then(|(whole, _)| self.origins.get(whole));
        self.origins.get(layer).or_else(whole).map_or("", String::as_str)
    }
}

/// Time steps of the golden trace: enough for the state to matter, little enough for flash.
pub(crate) const GOLDEN_STEPS: usize = 4;

/// The first steps of `frames`, as the golden trace takes them.
fn golden_frames(frames: &[f32], input_size: usize) -> anyhow::Result<&[f32]> {
    let steps = (frames.len() / input_size.max(1)).min(GOLDEN_STEPS);
    anyhow::ensure!(steps > 0, "golden trace: no frame of {input_size} features given");
    Ok(&frames[..steps * input_size])
}

/// Refuses layers that the runtime does not have.
///
/// # Errors
/// The layer's name, and what of it.
pub fn check_packable(network: &Network<f32>) -> anyhow::Result<()> {
    for layer in network.all_layers() {
        let parts = match &layer.kind {
            Kind::Dense(dense) => Parts::dense(dense),
            Kind::Recurrent(layer) => Parts::recurrent(layer),
            Kind::Bidirectional(layer) => Parts::recurrent(&layer.forward),
            _ => continue,
        };
        parts.check().with_context(|| layer.name.clone())?;
    }
    Ok(())
}
