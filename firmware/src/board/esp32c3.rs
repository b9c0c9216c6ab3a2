//! ESP32-C3: the counter of its performance registers, start-up code of `esp-hal`. The chip has none of
//! RISC-V's counters.

/// A counter of the cycles of a piece of code.
pub struct Counter(());

impl Counter {
    /// Starts to count cycles and returns the counter.
    pub fn take() -> Option<Self> {
        const CYCLES: u32 = 1;
        #[expect(unsafe_code, reason = "the counter is two registers")]
        // SAFETY: `mpcer` selects the event that is counted, `mpcmr` starts the counter.
        unsafe {
            core::arch::asm!("csrw 0x7e0, {0}", "csrw 0x7e1, {0}", in(reg) CYCLES, options(nostack));
        }
        Some(Self(()))
    }

    /// Returns the cycles between two reads of the counter around `work`, and the result of `work`. The
    /// cycles are those modulo 2^32: 26 seconds at 160 MHz.
    #[inline(always)]
    pub fn count<R>(&mut self, work: impl FnOnce() -> R) -> (Option<u64>, R) {
        let start = cycles();
        let result = work();
        (Some(cycles().wrapping_sub(start).into()), result)
    }
}

/// Returns the value of the counter, `mpccr`.
#[inline(always)]
#[expect(unsafe_code, reason = "the counter is a register")]
fn cycles() -> u32 {
    let cycles: u32;
    // SAFETY: copies a register. Not `nomem`, so that the code in between stays there.
    unsafe { core::arch::asm!("csrr {}, 0x7e2", out(reg) cycles, options(nostack, preserves_flags)) };
    cycles
}

/// Returns the stack pointer.
#[inline(always)]
#[expect(unsafe_code, reason = "the stack pointer is a register")]
pub fn stack_pointer() -> usize {
    let address: usize;
    // SAFETY: copies a register.
    unsafe { core::arch::asm!("mv {}, sp", out(reg) address, options(nomem, nostack, preserves_flags)) };
    address
}

/// Returns the lowest address that the stack may reach.
pub fn stack_bottom() -> usize {
    (&raw const _stack_end).addr()
}

#[expect(unsafe_code, reason = "the linker script's symbol")]
// SAFETY: the linker script of `esp-hal` defines it; only its address is taken.
unsafe extern "C" {
    safe static _stack_end: u32;
}
