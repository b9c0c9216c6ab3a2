//! Writes, quantizes, reads and runs the model files of `embedded-rnn` on a PC.
//!
//! ```text
//! Network --fold--> Network --write--> .ernn (f32, f16) --read--> Network
//!                           --quantize--> .ernn (i8)              |
//!                                          session <--------------+ compared
//! ```
//! The modules form a stack; each imports only from those above it in this list:
//!
//! - `meta`: names and labels in a file; `file`: assembly of the sections of a file
//! - `fold`: removes layers of training and folds normalizations into weights
//! - `write`, `read`: networks to f32 and f16 files, and back
//! - [`session`]: inference with a file of any dtype
//! - [`quantize`](mod@quantize): calibration, i8 files, and the error of each layer
//! - [`random`]: networks with random weights, for boards, benchmarks and tests
//! - [`summary`]: the layers, sizes and costs of a file
//!
//! Each layer builds its own records: `embedded_rnn_nn::layers::Export`.

mod file;
mod fold;
mod meta;
pub mod quantize;
pub mod random;
mod read;
mod residual;
pub mod session;
pub mod summary;
mod write;

pub use embedded_rnn::AlignedBytes;
pub use embedded_rnn_nn::export::{FloatWeights, Ranges};
pub use file::GOLDEN_STEPS;
pub use fold::folded;
pub use meta::Meta;
pub use quantize::{
    ClassChanges, ErrorTable, LayerError, Quantized, calibrate, check_quantizable, quantize,
    quantize_weights, sample,
};
pub use random::{Random, files, random_cell, recurrent_layer};
pub use read::read_float;
pub use write::{check_packable, write_float};
