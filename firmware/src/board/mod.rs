//! The core that an image runs on. Each core has the same items: `entry!`, `on_fault!`, `Counter`,
//! `stack_pointer`, `stack_bottom`; the ESP32-C3, whose HAL starts it, only the last three.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
pub use aarch64::*;

#[cfg(target_arch = "arm")]
mod cortex_m;
#[cfg(target_arch = "arm")]
pub use cortex_m::*;

#[cfg(feature = "esp32c3")]
mod esp32c3;
#[cfg(feature = "esp32c3")]
pub use esp32c3::*;

#[cfg(all(target_arch = "riscv32", not(feature = "esp32c3")))]
mod riscv;
#[cfg(all(target_arch = "riscv32", not(feature = "esp32c3")))]
pub use riscv::*;

/// Executes a thousand nops, with which the PC checks the counter.
#[inline(never)]
#[expect(unsafe_code, reason = "instructions that no compiler removes")]
pub fn thousand_nops() {
    // SAFETY: a nop accesses no register and no memory.
    unsafe { core::arch::asm!(".rept 1000", "nop", ".endr", options(nomem, nostack, preserves_flags)) }
}
