//! The depth of the stack in a call.
#![expect(unsafe_code, reason = "reads and writes memory below the stack pointer")]

use core::ptr;

use crate::board;

/// A value that code is unlikely to write to the stack.
const PAINT: u32 = 0x5AC3_C35A;

/// Limit of the painted bytes: painting megabytes would take longer than the run.
const DEPTH: usize = 32 << 10;

/// Returns the bytes of stack that `work` uses below its caller, and its result. The bytes are `None` if
/// `work` used all that was painted.
#[inline(always)]
pub fn high_water<R>(work: impl FnOnce() -> R) -> (Option<usize>, R) {
    let top = board::stack_pointer();
    let bottom = board::stack_bottom().max(top.saturating_sub(DEPTH));
    for address in (bottom..top).step_by(4) {
        // SAFETY: between the linker's end of the stack and the stack pointer lies free, writable RAM; both
        // are multiples of 4, and no call is made before `work` that would use it.
        unsafe { ptr::write_volatile(address as *mut u32, PAINT) };
    }
    let result = work();
    let used = (bottom..top).step_by(4).find(|&address| {
        // SAFETY: the same words, initialized above.
        let word = unsafe { ptr::read_volatile(address as *const u32) };
        word != PAINT
    });
    let deepest = used.unwrap_or(top);
    ((deepest > bottom).then_some(top - deepest), result)
}
