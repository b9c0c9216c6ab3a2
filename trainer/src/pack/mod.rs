//! From a trained network to a model file, and back.
//!
//! ```text
//! Network --float--> .ernn (f32, f16) --read--> Network --int--> .ernn (i8)
//! ```
//! `layout` is where each weight lies (runtime/FORMAT.md), `parts` what a layer gives to it, `float` and `int` the two
//! kinds of numbers, `calibrate` the ranges that integers need, `errors` what they cost, `file` the sections of a file.

mod calibrate;
mod errors;
mod file;
mod float;
mod int;
mod layout;
mod parts;
mod random;

pub use calibrate::{Ranges, calibrate, sample};
pub use errors::{ErrorTable, LayerError, Quantized};
pub use file::AlignedBytes;
pub use float::{FloatWeights, read_float, rounded, write_float};
pub use int::quantize;
pub use parts::check_packable;
pub use random::{CellKind, random_files, random_net};

use std::collections::BTreeMap;

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

/// Time steps of the golden trace: enough for the state to matter, little enough for flash.
const GOLDEN_STEPS: usize = 4;

/// The first steps of `frames`, as the golden trace takes them.
fn golden_frames(frames: &[f32], input_size: usize) -> anyhow::Result<&[f32]> {
    let steps = (frames.len() / input_size.max(1)).min(GOLDEN_STEPS);
    anyhow::ensure!(steps > 0, "golden trace: no frame of {input_size} features given");
    Ok(&frames[..steps * input_size])
}
