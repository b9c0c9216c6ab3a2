//! C and C++ bindings: the runtime behind C functions, over memory of the caller.
//!
//! The header `include/ernn.h` is made from these sources. All memory is the caller's: the model's bytes, the
//! handles, the RAM of a state, every buffer. There is no allocation and no global.
//!
//! # Contract
//!
//! Every function checks what it can see: pointers that are null or misaligned, lengths, handles that were
//! not initialized, buffers that overlap. It cannot see whether memory is there. For every pointer the caller
//! guarantees that it is null or points to as many values as the length beside it states, or to one value;
//! that the model's bytes stay and do not change while the model is used; and that the RAM of a state is left
//! alone while the state is used. Two threads can share a model, not a state.
//!
//! # Map
//!
//! `buffer` and `handle` turn pointers into references; `status` has the error codes; `model`, `state`,
//! `step` and `quantize` are the functions.
#![cfg_attr(not(feature = "std"), no_std)]
#![allow(unsafe_code, reason = "C passes pointers; each block states who guarantees them")]
#![allow(non_camel_case_types, reason = "types have the names of the header")]
#![allow(clippy::missing_safety_doc, reason = "one contract holds for all functions: the crate's")]

#[cfg(not(any(feature = "f32", feature = "f16", feature = "i8")))]
compile_error!("no dtype is linked: enable at least one of the features `f32`, `f16` and `i8`");

mod buffer;
mod handle;
mod model;
#[cfg(feature = "i8")]
mod quantize;
mod state;
mod status;
mod step;

pub use handle::{ernn_model_t, ernn_state_t};
pub use model::{
    ernn_dtype_t, ernn_info, ernn_info_t, ernn_label, ernn_open, ernn_output_len, ernn_ram_needed,
};
#[cfg(feature = "i8")]
pub use quantize::{ernn_dequantize, ernn_quantize};
pub use state::{ernn_reset, ernn_restore, ernn_save, ernn_self_test, ernn_state_init};
pub use status::{ernn_status_t, ernn_strerror};
pub use step::ernn_greedy;
#[cfg(any(feature = "f32", feature = "f16"))]
pub use step::{ernn_run_f32, ernn_step_f32};
#[cfg(feature = "i8")]
pub use step::{ernn_run_i8, ernn_step_i8};

/// Halts. Nothing in the library panics, so that a linker drops it; `cargo xtask c` searches an image for it.
#[cfg(not(feature = "std"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
