//! Recurrent networks on microcontrollers and edge CPUs.
//!
//! A model is a read-only file that lies in flash and is used in place; its state lies in memory that the caller gives.
//! No allocator, no globals; after [`Model::new`] has checked the file nothing can panic.
//!
//! ```
//! use embedded_rnn::{F32, Model, Ram, include_model, ram_needed};
//!
//! static MODEL: &[u8] = include_model!("../tests/data/tiny.ernn"); // aligned, checked at compile time
//! const RAM: usize = ram_needed(MODEL); // over budget fails the build, not the board
//!
//! let model = Model::<F32>::new(MODEL)?;
//! let mut ram = Ram::<RAM>::new();
//! let mut state = model.state(&mut ram)?;
//! let y: &[f32] = model.step(&mut state, &[0.5, -0.25])?;
//! assert_eq!(y.len(), model.output_size());
//! # Ok::<(), embedded_rnn::Error>(())
//! ```
//!
//! Map: [`Model`] and [`State`] are the way in; `layers` has one file per layer; `isa` what a kernel may ask of a CPU and
//! one file per instruction set; `activation` tanh, sigmoid, softmax; [`mod@format`] the file. FORMAT.md and INTEGER.md
//! beside this crate specify the file and the integer arithmetic.
#![cfg_attr(not(any(feature = "std", test)), no_std)]
#![deny(missing_docs)]
#![deny(unsafe_code)]

#[cfg(target_endian = "big")]
compile_error!("model files are little-endian and used in place: big-endian targets are not supported");

pub mod activation;
#[cfg(feature = "std")]
mod aligned_bytes;
#[cfg(feature = "std")]
mod any;
mod argmax;
mod error;
pub mod format;
mod include;
#[allow(unsafe_code, reason = "the one place for it: instruction sets")]
mod isa;
mod layers;
mod memory;
mod model;
mod number;
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
    ram_needed_for, run_output_len, saved_len,
};
pub use include::ModelFile;
pub use isa::Backend;
pub use layers::{ALL_FEATURES, Kind};
pub use memory::{Aligned, Ram};
pub use model::{Model, Needs, needs};
pub use number::{F16, F32, I8, Number};
pub use quant_io::QuantIo;
pub use session::Session;
pub use state::State;

/// Parts of the macros.
#[doc(hidden)]
pub mod private {
    pub use crate::format::constants::{Defect, defect};
    pub use crate::format::labels::{label_count, labels};
    pub use crate::include::{Code, Select, dtype_code};
}
