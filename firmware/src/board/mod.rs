//! The core that an image runs on, behind one set of names: `entry`, `on_fault!`, `Counter`, `stack_pointer`,
//! `stack_bottom`.

#[cfg(target_arch = "arm")]
mod cortex_m;
#[cfg(target_arch = "arm")]
pub use cortex_m::*;

#[cfg(target_arch = "riscv32")]
mod riscv;
#[cfg(target_arch = "riscv32")]
pub use riscv::*;

/// Executes a thousand instructions that do nothing, by which the counter is checked.
#[inline(never)]
#[expect(unsafe_code, reason = "instructions that no compiler removes")]
pub fn thousand_nops() {
    // SAFETY: they touch nothing.
    unsafe { core::arch::asm!(".rept 1000", "nop", ".endr", options(nomem, nostack, preserves_flags)) }
}
