//! Model files of `embedded-rnn` on a PC: written from a trained network, quantized, read back and run.
//!
//! ```text
//! Network --fold--> Network --write--> .ernn (f32, f16) --read--> Network
//!                           --quantize--> .ernn (i8)              |
//!                                          session <--------------+ compared
//! ```
//! The modules form a stack; each imports only from those above it in this list:
//!
//! - `meta`: the names and labels in a file; `file`: the sections of a file, put together
//! - `fold`: the network that runs, of the network that was trained
//! - `write`, `read`: files of floats, and back
//! - [`session`]: inference with a file of any dtype
//! - [`quantize`](mod@quantize): calibration, integers, and the errors that they cause
//! - [`random`]: networks with random weights, for boards, benchmarks and tests
//! - [`summary`]: the contents and the cost of a file
//!
//! The records of each layer are the layer's own matter: `embedded_rnn_nn::layers::Export`.

mod file;
mod fold;
mod meta;
pub mod quantize;
pub mod random;
mod read;
pub mod session;
pub mod summary;
mod write;

pub use embedded_rnn::AlignedBytes;
pub use embedded_rnn_nn::export::{FloatWeights, Ranges};
pub use file::GOLDEN_STEPS;
pub use fold::folded;
pub use meta::Meta;
pub use quantize::{
    ErrorTable, LayerError, Quantized, calibrate, check_quantizable, quantize, quantize_weights, sample,
};
pub use random::{Random, files, random_cell, recurrent_layer};
pub use read::read_float;
pub use write::{check_packable, write_float};
