//! ONNX: `.onnx` files, as PyTorch and tf2onnx export them.
//!
//! ```text
//! bytes --wire, proto--> graph --ops, node by node--> points --finish--> Network
//! ```
//! Each tensor is known as far as can be before anything runs ([`value`]): constants by their numbers, the data by its axes.
//! A node makes a layer of it ([`chain`]), moves its axes about, or is refused. What nobody asks for is refused too: fields of
//! messages, attributes, inputs, outputs.

mod array;
mod attributes;
mod call;
mod chain;
mod context;
mod finish;
mod graph;
mod ops;
mod proto;
mod tensor;
mod value;
mod wire;

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use array::Array;
pub use tensor::{Constant, Tensor};

use anyhow::{Result, ensure};

use super::{Imported, MOST_BYTES};

/// Reads a file.
///
/// # Errors
/// What is not understood, by node and attribute.
pub fn read(path: &Path, name: &str) -> Result<Imported> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    ensure!(bytes.len() as u64 <= MOST_BYTES, "more than {MOST_BYTES} bytes");
    from_bytes(&bytes, name)
}

/// Reads what is in a file.
///
/// # Errors
/// As [`read`].
pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Imported> {
    let model = proto::Model::read(bytes)?;
    finish::network(graph::run(&model)?, &model.graph.outputs, name)
}
