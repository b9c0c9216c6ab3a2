//! The core that an image runs on. Each core has the same items: `entry!`, `on_fault!`, `Counter`,
//! `stack_pointer`, `stack_bottom`.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
pub use aarch64::*;

#[cfg(target_arch = "arm")]
mod cortex_m;
#[cfg(target_arch = "arm")]
pub use cortex_m::*;

#[cfg(target_arch = "riscv32")]
mod riscv;
#[cfg(target_arch = "riscv32")]
pub use riscv::*;

/// Executes a thousand nops, with which the PC checks the counter.
#[inline(never)]
#[expect(unsafe_code, reason = "instructions that no compiler removes")]
pub fn thousand_nops() {
    // SAFETY: a nop accesses no register and no memory.
    unsafe { core::arch::asm!(".rept 1000", "nop", ".endr", options(nomem, nostack, preserves_flags)) }
}
