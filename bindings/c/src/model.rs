//! Models: opening, sizes, labels.

use crate::buffer::{self, Buffer, check_disjoint};
use crate::handle::{self, FEATURES, Opened, ernn_model_t, with_model};
use crate::status::ernn_status_t::{self, *};
use core::ffi::{c_char, c_void};
use core::ops::Range;
use embedded_rnn::{DType, Kind, Model, Number, dtype, is_model, ram_needed, ram_needed_for};

/// Dtype of a model.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ernn_dtype_t {
    /// Weights and arithmetic in float.
    ERNN_F32 = 0,
    /// Weights in binary16, arithmetic in float.
    ERNN_F16 = 1,
    /// Integers only: inputs of 16 bits, outputs of 32.
    ERNN_I8 = 2,
}

/// Facts of a model.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ernn_info_t {
    /// Dtype: models of `ERNN_I8` take the functions ending in `_i8`, the other ones those ending in `_f32`.
    pub dtype: ernn_dtype_t,
    /// Values per time step.
    pub input_size: usize,
    /// Values per output.
    pub output_size: usize,
    /// Number of layers.
    pub layers: usize,
    /// Number of labels.
    pub labels: usize,
    /// Bytes of the model file.
    pub file_len: usize,
    /// Bytes of RAM of a state; `ernn_ram_needed` for a model that runs whole sequences.
    pub ram: usize,
    /// Most bytes of a saved state.
    pub saved_len: usize,
    /// Real value of one unit of the output; 1 in float models.
    pub output_scale: f32,
    /// True if `ernn_run_...` has an output per time step, false if one after the last.
    pub returns_sequences: bool,
    /// True if a layer runs backwards: only `ernn_run_...` takes inputs, a whole sequence per call.
    pub whole_sequences: bool,
    /// True if the outputs come from a decoder: `ernn_greedy`.
    pub has_decoder: bool,
    /// True if the inputs are ids, as values of the model's input type.
    pub takes_ids: bool,
}

/// Checks a model file and opens it in place; the handle stays uninitialized if it is rejected.
///
/// The bytes must be aligned to 4, better to 64, and stay where they are; an array made by `ernn header` is
/// aligned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ernn_open(
    model: *mut ernn_model_t,
    bytes: *const c_void,
    len: usize,
) -> ernn_status_t {
    // SAFETY: the caller keeps the contract of the crate.
    ernn_status_t::of(unsafe { open(model, bytes.cast(), len) })
}

unsafe fn open(model: *mut ernn_model_t, bytes: *const u8, len: usize) -> Result<(), ernn_status_t> {
    let handle = handle::range(model)?;
    if bytes.is_null() {
        return Err(ERNN_ERROR_NULL);
    }
    let bytes = Buffer::new(bytes, len)?;
    check_disjoint(&handle, &[bytes.range()])?;
    // SAFETY: both ranges were checked, and the caller guarantees the memory.
    let opened = unsafe {
        handle::clear(model)?;
        open_any(bytes.values())?
    };
    // SAFETY: as above.
    unsafe { handle::put(model, opened) }
}

/// Opens a model as one of its dtype.
fn open_any(bytes: &'static [u8]) -> Result<Opened, ernn_status_t> {
    match dtype(bytes) {
        #[cfg(feature = "f32")]
        Some(DType::F32) => Ok(Opened::F32(Model::new(bytes)?)),
        #[cfg(feature = "f16")]
        Some(DType::F16) => Ok(Opened::F16(Model::new(bytes)?)),
        #[cfg(feature = "i8")]
        Some(DType::I8) => Ok(Opened::I8(Model::new(bytes)?)),
        _ => Err(if is_model(bytes) { ERNN_ERROR_DTYPE } else { ERNN_ERROR_NOT_A_MODEL }),
    }
}

/// Stores the facts of a model in `info`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ernn_info(model: *const ernn_model_t, info: *mut ernn_info_t) -> ernn_status_t {
    // SAFETY: the caller keeps the contract of the crate.
    unsafe { store(model, info, |opened| with_model!(opened, model => facts(model))) }
}

/// Stores a fact of a model, where it overwrites neither the model nor its handle.
///
/// # Safety
/// The contract of the crate.
unsafe fn store<T>(model: *const ernn_model_t, to: *mut T, fact: impl FnOnce(&Opened) -> T) -> ernn_status_t {
    // SAFETY: the caller keeps the contract of the crate.
    let stored = unsafe { handle::get(model) }.and_then(|opened| {
        let place = Buffer::new(to, 1)?.range();
        check_disjoint(&place, &[handle::range(model)?, model_range(opened)])?;
        // SAFETY: as above.
        unsafe { buffer::put(to, fact(opened)) }
    });
    ernn_status_t::of(stored)
}

fn facts<N: Number>(model: &Model<'static, N, FEATURES>) -> ernn_info_t {
    let first = model.layers().first();
    ernn_info_t {
        dtype: match N::DTYPE {
            DType::F16 => ernn_dtype_t::ERNN_F16,
            DType::I8 => ernn_dtype_t::ERNN_I8,
            _ => ernn_dtype_t::ERNN_F32,
        },
        input_size: model.input_size(),
        output_size: model.output_size(),
        layers: model.layers().len(),
        labels: model.header().map_or(0, |header| header.labels().count()),
        file_len: model.bytes().len(),
        ram: ram_needed(model.bytes()),
        saved_len: model.saved_len(),
        output_scale: model.output_scale(),
        returns_sequences: model.returns_sequences(),
        whole_sequences: model.needs_whole_sequences(),
        has_decoder: model.has_decoder(),
        takes_ids: first.is_some_and(|first| first.kind == Kind::Embedding as u8),
    }
}

/// Stores in `bytes` the RAM of a state that runs sequences of up to `steps` time steps.
///
/// The length matters for models that run whole sequences only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ernn_ram_needed(
    model: *const ernn_model_t,
    steps: usize,
    bytes: *mut usize,
) -> ernn_status_t {
    // SAFETY: the caller keeps the contract of the crate.
    unsafe {
        store(model, bytes, |opened| with_model!(opened, model => ram_needed_for(model.bytes(), steps)))
    }
}

/// Stores in `len` the number of values that `ernn_run_...` puts out for `steps` time steps.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ernn_output_len(
    model: *const ernn_model_t,
    steps: usize,
    len: *mut usize,
) -> ernn_status_t {
    // SAFETY: the caller keeps the contract of the crate.
    unsafe { store(model, len, |opened| with_model!(opened, model => model.run_output_len(steps))) }
}

/// Writes the label of class `index` into `text`, ended by a zero; `len` bytes have room there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ernn_label(
    model: *const ernn_model_t,
    index: usize,
    text: *mut c_char,
    len: usize,
) -> ernn_status_t {
    // SAFETY: the caller keeps the contract of the crate.
    ernn_status_t::of(unsafe { label(model, index, text.cast(), len) })
}

unsafe fn label(
    model: *const ernn_model_t,
    index: usize,
    text: *mut u8,
    len: usize,
) -> Result<(), ernn_status_t> {
    // SAFETY: the caller keeps the contract of the crate.
    let opened = unsafe { handle::get(model)? };
    let label = with_model!(opened, model => model.label(index));
    let label = label.ok_or(ERNN_ERROR_NO_LABEL)?.as_bytes();
    if text.is_null() {
        return Err(ERNN_ERROR_NULL);
    }
    let text = Buffer::new(text, len)?;
    check_disjoint(&text.range(), &[handle::range(model)?, model_range(opened)])?;
    // SAFETY: the buffer was checked, and the caller guarantees the memory.
    let text = unsafe { text.values_mut() };
    let (own, rest) = text.split_at_mut_checked(label.len()).ok_or(ERNN_ERROR_BUFFER)?;
    *rest.first_mut().ok_or(ERNN_ERROR_BUFFER)? = 0;
    own.iter_mut().zip(label).for_each(|(to, &from)| *to = from);
    Ok(())
}

/// Returns the addresses of the model's bytes.
pub fn model_range(opened: &Opened) -> Range<usize> {
    let range = with_model!(opened, model => model.bytes().as_ptr_range());
    range.start.addr()..range.end.addr()
}
