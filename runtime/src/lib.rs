//! Recurrent networks on microcontrollers and edge CPUs.
//!
//! A model is a read-only file that lies in flash and is used in place; its state lies in memory that the
//! caller owns. There is no allocator and no global, and after a file has been validated nothing can panic.
//!
//! # A model is a type
//!
//! [`model!`] makes a module of a file while the program is built: dtype, lengths, RAM and labels come from
//! the file, the compiler checks the lengths, and only the code of the model's own layers is linked.
//!
//! ```
//! embedded_rnn::model!(pub tiny = "../tests/data/tiny.ernn");
//! const _: () = assert!(tiny::RAM <= 1024, "over budget"); // fails the build, not the board
//!
//! let mut ram = tiny::Ram::new();
//! let mut session = tiny::Session::new(&mut ram)?; // validates the file in flash
//! let y: &[f32; 3] = session.step(&[0.5, -0.25]); // cannot fail
//! # let _ = y;
//! # Ok::<(), embedded_rnn::Error>(())
//! ```
//!
//! # Bytes
//!
//! A program that receives its model when it runs, over the air or from another page of flash, names the
//! dtype and has [`Model`] and [`State`], whose lengths are checked in every call. Without a last parameter
//! such as `{ features(MODEL) }`, `Model` runs every file of its dtype, and the code of all layers is linked.
//!
//! ```
//! use embedded_rnn::{F32, Model, Ram, include_model, ram_needed};
//!
//! static MODEL: &[u8] = include_model!("../tests/data/tiny.ernn");
//!
//! let model = Model::<F32>::new(MODEL)?;
//! let mut ram = Ram::<{ ram_needed(MODEL) }>::new();
//! let mut state = model.state(&mut ram)?;
//! let y: &[f32] = model.step(&mut state, &[0.5, -0.25])?;
//! assert_eq!(y.len(), model.output_size());
//! # Ok::<(), embedded_rnn::Error>(())
//! ```
//!
//! With the feature `std`, `AnyModel` reads a file of any dtype and runs it between real values; the
//! instruction set is then chosen at run time. `runtime/examples` has programs for the PC.
//!
//! # Map
//!
//! - [`model!`], [`include_model!`]: files in a program (`include`); [`Session`]: a model with a state, its
//!   lengths types;
//! - [`Model`], [`State`]: bytes, validated once, and the state of a sequence; [`Ram`]: memory for it;
//!   [`QuantIo`]: real values in and out (`quant_io`);
//! - [`dtype`], [`input_size`], [`output_size`], [`ram_needed`], [`ram_needed_for`], [`run_output_len`],
//!   [`saved_len`], [`features`]: facts of a file, `const`, so that a build can depend on them;
//! - [`mod@format`]: the file; `layers`: one file per layer, with its float and its integer step;
//!   `activation`: their functions; `isa`: the operations that a kernel takes from an instruction set, one
//!   file per set, and all `unsafe`;
//! - with `std`: `AnyModel`, `AnyState` (`any`), `AlignedBytes`.
//!
//! FORMAT.md and INTEGER.md beside this crate specify the file and the integer arithmetic.
//!
//! # Glossary
//!
//! - **block**: four rows of an integer matrix, word by word side by side: the gates of one LSTM unit, or one
//!   row of each of four units
//! - **chain**: layers that process the same time steps one after another; a model is one chain, or an
//!   encoder and a decoder
//! - **dtype**: the numbers of a model: f32; f16, weights in binary16 and arithmetic in f32; i8, integers
//!   throughout
//! - **golden trace**: inputs of a few time steps and the output after the last, stored in the file and
//!   replayed by `self_test`
//! - **panel**: eight units of a float matrix, gate by gate side by side: as many as fill the vector
//!   registers
//! - **pre-activation**: the value of a unit before its activation: bias plus weighted inputs
//! - **quad**: four consecutive activations of an integer layer, as many as one word has weights
//! - **session**: a model with one state: the way through one sequence
//! - **side**: one of the operands of a row: the inputs, or the output of the step before
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(not(any(feature = "std", test)), no_std)]
#![deny(missing_docs)]
#![deny(unsafe_code)]

#[cfg(target_endian = "big")]
compile_error!("model files are little-endian and used in place: big-endian targets are not supported");

mod activation;
#[cfg(feature = "std")]
mod aligned_bytes;
#[cfg(feature = "std")]
mod any;
mod argmax;
mod defect;
mod error;
pub mod format;
mod include;
#[allow(unsafe_code, reason = "the one place for it: instruction sets")]
mod isa;
mod layers;
mod memory;
mod model;
mod number;
pub mod packing;
mod quant_io;
mod session;
mod state;

#[cfg(feature = "std")]
pub use aligned_bytes::AlignedBytes;
#[cfg(feature = "std")]
pub use any::{AnyModel, AnyState, ReadError};
pub use argmax::argmax;
pub use error::{Error, LayerFault};
pub use format::{
    ALIGN, DType, dtype, features, input_size, is_model, output_scale, output_size, ram_needed,
    ram_needed_for, run_output_len,
};
pub use include::ModelFile;
pub use isa::Backend;
pub use layers::{ALL_FEATURES, Kind};
pub use memory::{Aligned, Ram};
pub use model::{Model, saved_len};
pub use number::{F16, F32, I8, Number};
pub use quant_io::QuantIo;
pub use session::Session;
pub use state::State;

/// Parts of the macros.
#[doc(hidden)]
pub mod private {
    pub use crate::defect::{Defect, defect};
    pub use crate::format::labels::{label_count, labels};
    pub use crate::include::{Code, Select, dtype_code};
}
