//! Real values in and out of an integer model.

use crate::buffer::{Buffer, check_disjoint};
use crate::handle::{self, FEATURES, Opened, ernn_model_t};
use crate::model::model_range;
use crate::status::ernn_status_t::{self, *};
use embedded_rnn::{I8, Model};

/// Quantizes the real inputs of one time step of an `ERNN_I8` model: both lengths are `info.input_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ernn_quantize(
    model: *const ernn_model_t,
    x: *const f32,
    x_len: usize,
    quantized: *mut i16,
    quantized_len: usize,
) -> ernn_status_t {
    // SAFETY: the caller keeps the contract of the crate.
    ernn_status_t::of(unsafe {
        with_values(model, (x, x_len), (quantized, quantized_len), |model, x, quantized| {
            Ok(model.quantize_input(x, quantized)?)
        })
    })
}

/// Converts outputs of an `ERNN_I8` model to real values: both lengths are the same.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ernn_dequantize(
    model: *const ernn_model_t,
    y: *const i32,
    y_len: usize,
    real: *mut f32,
    real_len: usize,
) -> ernn_status_t {
    // SAFETY: the caller keeps the contract of the crate.
    ernn_status_t::of(unsafe {
        with_values(model, (y, y_len), (real, real_len), |model, y, real| {
            Ok(model.dequantize_output(y, real)?)
        })
    })
}

/// Calls `work` with the model and the values to read and to write, after all checks.
///
/// # Safety
/// The contract of the crate.
unsafe fn with_values<A, B>(
    model: *const ernn_model_t,
    (from, from_len): (*const A, usize),
    (to, to_len): (*mut B, usize),
    work: impl FnOnce(&Model<'static, I8, FEATURES>, &[A], &mut [B]) -> Result<(), ernn_status_t>,
) -> Result<(), ernn_status_t> {
    // SAFETY: the caller keeps the contract of the crate.
    let opened = unsafe { handle::get(model)? };
    let (from, to) = (Buffer::new(from, from_len)?, Buffer::new(to, to_len)?);
    check_disjoint(&to.range(), &[from.range(), handle::range(model)?, model_range(opened)])?;
    #[allow(unreachable_patterns, reason = "a build of one dtype has one variant")]
    match opened {
        // SAFETY: the buffers were checked and are apart, and the caller guarantees the memory.
        Opened::I8(model) => work(model, unsafe { from.values() }, unsafe { to.values_mut() }),
        _ => Err(ERNN_ERROR_DTYPE),
    }
}
