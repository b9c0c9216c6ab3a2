//! States: initializing, resetting, saving, restoring, and the self test.

use crate::buffer::{self, Buffer, check_disjoint};
use crate::handle::{self, AnyState, FEATURES, Held, Linked, Opened, ernn_model_t, ernn_state_t, with_model};
use crate::model::model_range;
use crate::status::ernn_status_t::{self, *};
use core::ffi::c_void;
use embedded_rnn::{Model, State};

/// Initializes a state at the start of a sequence, in `ram`, which is aligned to 4 and has as many bytes as
/// `ernn_info_t` or `ernn_ram_needed` state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ernn_state_init(
    state: *mut ernn_state_t,
    model: *const ernn_model_t,
    ram: *mut c_void,
    ram_len: usize,
) -> ernn_status_t {
    // SAFETY: the caller keeps the contract of the crate.
    ernn_status_t::of(unsafe { init(state, model, ram.cast(), ram_len) })
}

unsafe fn init(
    state: *mut ernn_state_t,
    model: *const ernn_model_t,
    ram: *mut u8,
    ram_len: usize,
) -> Result<(), ernn_status_t> {
    let handles = [handle::range(state)?, handle::range(model)?];
    check_disjoint(&handles[0], &handles[1..])?;
    // SAFETY: the caller keeps the contract of the crate.
    let opened = unsafe { handle::get(model)? };
    if ram.is_null() {
        return Err(ERNN_ERROR_NULL);
    }
    let ram = Buffer::new(ram, ram_len)?;
    let [own, other] = handles;
    check_disjoint(&ram.range(), &[own, other, model_range(opened)])?;
    // SAFETY: the ranges were checked, and the caller guarantees the memory.
    let held = unsafe {
        handle::clear(state)?;
        with_model!(opened, model => hold(model, &ram)?)
    };
    // SAFETY: as above.
    unsafe { handle::put(state, held) }
}

/// Makes a state in a buffer.
///
/// # Safety
/// The buffer exists and is left alone while the state is used.
unsafe fn hold<N: Linked>(
    model: &Model<'static, N, FEATURES>,
    ram: &Buffer<u8>,
) -> Result<Held, ernn_status_t> {
    // SAFETY: the caller guarantees the memory.
    let memory: &'static mut [u8] = unsafe { ram.values_mut() };
    Ok(Held { ram: ram.range(), state: N::wrap(model.state(memory)?) })
}

/// Returns the state as one of the model's dtype.
pub fn of_model<N: Linked>(any: &mut AnyState) -> Result<&mut State<'static, N>, ernn_status_t> {
    N::unwrap(any).ok_or(ERNN_ERROR_FOREIGN_STATE)
}

/// Returns to the start of a sequence.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ernn_reset(state: *mut ernn_state_t) -> ernn_status_t {
    // SAFETY: the caller keeps the contract of the crate.
    ernn_status_t::of(unsafe { handle::get_mut(state) }.map(|held| match &mut held.state {
        #[cfg(feature = "f32")]
        AnyState::F32(state) => state.reset(),
        #[cfg(feature = "f16")]
        AnyState::F16(state) => state.reset(),
        #[cfg(feature = "i8")]
        AnyState::I8(state) => state.reset(),
    }))
}

/// Replays the golden trace of the model file and resets the state: at boot it shows that flash, library and
/// core agree with the PC that made the file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ernn_self_test(
    model: *const ernn_model_t,
    state: *mut ernn_state_t,
) -> ernn_status_t {
    // SAFETY: the caller keeps the contract of the crate.
    ernn_status_t::of(unsafe { self_test(model, state) })
}

unsafe fn self_test(model: *const ernn_model_t, state: *mut ernn_state_t) -> Result<(), ernn_status_t> {
    // SAFETY: the caller keeps the contract of the crate.
    let (opened, held) = unsafe { (handle::get(model)?, handle::get_mut(state)?) };
    with_model!(opened, model => Ok(model.self_test(of_model(&mut held.state)?)?))
}

/// Saves a state into `buffer`, of `info.saved_len` bytes, and stores in `used` how many it takes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ernn_save(
    model: *const ernn_model_t,
    state: *mut ernn_state_t,
    buffer: *mut c_void,
    len: usize,
    used: *mut usize,
) -> ernn_status_t {
    // SAFETY: the caller keeps the contract of the crate.
    ernn_status_t::of(unsafe { save(model, state, buffer.cast(), len, used) })
}

unsafe fn save(
    model: *const ernn_model_t,
    state: *mut ernn_state_t,
    buffer: *mut u8,
    len: usize,
    used: *mut usize,
) -> Result<(), ernn_status_t> {
    // SAFETY: the caller keeps the contract of the crate.
    let (opened, held) = unsafe { (handle::get(model)?, handle::get_mut(state)?) };
    if buffer.is_null() {
        return Err(ERNN_ERROR_NULL);
    }
    let (buffer, used_range) = (Buffer::new(buffer, len)?, Buffer::new(used, 1)?.range());
    let fixed =
        || [handle::range(model), handle::range(state), Ok(held.ram.clone()), Ok(model_range(opened))];
    for other in fixed() {
        let other = other?;
        check_disjoint(&buffer.range(), &[other.clone(), used_range.clone()])?;
        check_disjoint(&used_range, &[other])?;
    }
    // SAFETY: the ranges were checked, and the caller guarantees the memory.
    let to = unsafe { buffer.values_mut() };
    let len = with_model!(opened, model => of_model(&mut held.state)?.save(model, to)?.len());
    // SAFETY: as above.
    unsafe { buffer::put(used, len) }
}

/// Restores a state that `ernn_save` has saved, on this machine or another one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ernn_restore(
    model: *const ernn_model_t,
    state: *mut ernn_state_t,
    saved: *const c_void,
    len: usize,
) -> ernn_status_t {
    // SAFETY: the caller keeps the contract of the crate.
    ernn_status_t::of(unsafe { restore(model, state, saved.cast(), len) })
}

unsafe fn restore(
    model: *const ernn_model_t,
    state: *mut ernn_state_t,
    saved: *const u8,
    len: usize,
) -> Result<(), ernn_status_t> {
    // SAFETY: the caller keeps the contract of the crate.
    let (opened, held) = unsafe { (handle::get(model)?, handle::get_mut(state)?) };
    if saved.is_null() {
        return Err(ERNN_ERROR_NULL);
    }
    let saved = Buffer::new(saved, len)?;
    check_disjoint(&saved.range(), &[handle::range(state)?, held.ram.clone()])?;
    // SAFETY: the ranges were checked, and the caller guarantees the memory.
    let saved = unsafe { saved.values() };
    with_model!(opened, model => Ok(of_model(&mut held.state)?.restore(model, saved)?))
}
