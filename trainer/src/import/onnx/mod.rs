//! ONNX: `.onnx` files, as PyTorch and tf2onnx export them.
//!
//! ```text
//! bytes --wire, proto--> graph --ops, node by node--> points --finish--> Network
//! ```
//! Each tensor is known as far as can be before anything runs (`value`): constants by their numbers, the data by its axes.
//! A node makes a layer of it (`chain`), moves its axes about, or is refused. What nobody asks for is refused too: fields of
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

pub use array::Array;
pub use tensor::{Constant, Tensor};

use anyhow::Result;

use super::Imported;

/// Reads the bytes of a file.
///
/// # Errors
/// What is not understood, by node and attribute.
pub fn read(bytes: &[u8], name: &str) -> Result<Imported> {
    let model = proto::Model::read(bytes)?;
    finish::network(graph::run(&model)?, &model.graph.outputs, name)
}
