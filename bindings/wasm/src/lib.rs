//! The runtime as a WebAssembly module. An instance of the module is one model with one state; `js/` makes a
//! class of it.
//!
//! Arguments and results lie in two buffers of the instance, one of bytes and one of `f32`. The caller
//! reserves one, writes to its address, calls a function, and reads the buffer that the function has filled.
//! So no pointer comes in, and the crate dereferences none. A function that can fail returns whether it
//! succeeded; if not, the bytes are the reason in one line.
#![allow(unsafe_code, reason = "the attribute that gives an export its name; there is no unsafe block")]

mod describe;
mod session;

use session::Session;
use std::cell::RefCell;

thread_local! {
    static SESSION: RefCell<Session> = RefCell::default();
}

/// Calls `work` with the session of this instance.
fn with<R>(work: impl FnOnce(&mut Session) -> R) -> R {
    SESSION.with_borrow_mut(work)
}

/// Makes the buffer of bytes this long and returns its address.
#[unsafe(no_mangle)]
pub extern "C" fn reserve_bytes(len: usize) -> *const u8 {
    with(|session| {
        session.bytes.resize(len, 0);
        session.bytes.as_ptr()
    })
}

/// Returns the address of the bytes.
#[unsafe(no_mangle)]
pub extern "C" fn bytes_at() -> *const u8 {
    with(|session| session.bytes.as_ptr())
}

/// Returns the number of bytes.
#[unsafe(no_mangle)]
pub extern "C" fn bytes_len() -> usize {
    with(|session| session.bytes.len())
}

/// Makes the buffer of values this long and returns its address.
#[unsafe(no_mangle)]
pub extern "C" fn reserve_values(len: usize) -> *const f32 {
    with(|session| {
        session.values.resize(len, 0.0);
        session.values.as_ptr()
    })
}

/// Returns the address of the values.
#[unsafe(no_mangle)]
pub extern "C" fn values_at() -> *const f32 {
    with(|session| session.values.as_ptr())
}

/// Returns the number of values.
#[unsafe(no_mangle)]
pub extern "C" fn values_len() -> usize {
    with(|session| session.values.len())
}

/// Opens the model whose file the bytes are; they become its description, a JSON object.
#[unsafe(no_mangle)]
pub extern "C" fn open() -> bool {
    with(Session::open)
}

/// Runs one time step: the values become the output.
#[unsafe(no_mangle)]
pub extern "C" fn step() -> bool {
    with(Session::step)
}

/// Runs many time steps, or a whole sequence: the values become the outputs.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> bool {
    with(Session::run)
}

/// Starts a new sequence.
#[unsafe(no_mangle)]
pub extern "C" fn reset() -> bool {
    with(Session::reset)
}

/// Saves the state: the bytes become it.
#[unsafe(no_mangle)]
pub extern "C" fn save() -> bool {
    with(Session::save)
}

/// Restores the state that the bytes are.
#[unsafe(no_mangle)]
pub extern "C" fn restore() -> bool {
    with(Session::restore)
}

/// Replays the golden trace of the file, in a state of its own.
#[unsafe(no_mangle)]
pub extern "C" fn self_test() -> bool {
    with(Session::self_test)
}
