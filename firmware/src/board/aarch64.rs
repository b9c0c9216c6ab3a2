//! AArch64: the virtual counter, and start-up code for QEMU's machine `virt`, which loads all of an image and
//! starts it at exception level 1 with the MMU and the FPU off.

use core::arch::asm;

#[expect(unsafe_code, reason = "start-up code is assembly")]
mod start {
    core::arch::global_asm!(
        ".section .vectors, \"ax\"",
        ".balign 2048",
        "vectors:",
        // Sixteen kinds of exceptions, 128 bytes each.
        ".rept 16",
        "mrs x0, elr_el1",
        "b board_fault",
        ".balign 128",
        ".endr",
        ".section .text.start, \"ax\"",
        ".global _start",
        "_start:",
        "ldr x0, =_stack_start",
        "mov sp, x0",
        "ldr x0, =vectors",
        "msr vbar_el1, x0",
        "mov x0, #3 << 20",
        "msr cpacr_el1, x0",
        "isb",
        "ldr x0, =__bss_start",
        "ldr x1, =__bss_end",
        "2:",
        "cmp x0, x1",
        "b.hs 3f",
        "str xzr, [x0], #8",
        "b 2b",
        "3:",
        "b board_main",
        ".ltorg",
    );
}

/// Names the function that the start-up code calls.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        #[expect(unsafe_code, reason = "the start-up code finds the function by its name")]
        // SAFETY: no other function has this name.
        #[unsafe(export_name = "board_main")]
        extern "C" fn start() -> ! {
            $main()
        }
    };
}

/// A counter of the ticks of a piece of code.
pub struct Counter(());

impl Counter {
    /// Returns the counter, which runs since the reset.
    pub fn take() -> Option<Self> {
        Some(Self(()))
    }

    /// Returns the ticks between two reads of the counter around `work`, and the result of `work`. The
    /// 64 bits never wrap, so there is always a count.
    #[inline(always)]
    pub fn count<R>(&mut self, work: impl FnOnce() -> R) -> (Option<u64>, R) {
        let start = ticks();
        let result = work();
        (Some(ticks() - start), result)
    }
}

#[inline(always)]
#[expect(unsafe_code, reason = "the counter is a register")]
fn ticks() -> u64 {
    let ticks: u64;
    // SAFETY: copies a register that may be read at every exception level.
    unsafe { asm!("isb", "mrs {}, cntvct_el0", out(reg) ticks, options(nostack, preserves_flags)) };
    ticks
}

/// Returns the stack pointer.
#[inline(always)]
#[expect(unsafe_code, reason = "the stack pointer is a register")]
pub fn stack_pointer() -> usize {
    let address: usize;
    // SAFETY: copies a register.
    unsafe { asm!("mov {}, sp", out(reg) address, options(nomem, nostack, preserves_flags)) };
    address
}

/// Returns the lowest address that the stack may reach.
pub fn stack_bottom() -> usize {
    (&raw const __bss_end).addr()
}

#[expect(unsafe_code, reason = "the linker script's symbol")]
// SAFETY: `aarch64.x` defines it; only its address is taken.
unsafe extern "C" {
    safe static __bss_end: u32;
}

/// Installs a function that receives the address of a faulting instruction.
#[macro_export]
macro_rules! on_fault {
    ($report:path) => {
        #[expect(unsafe_code, reason = "the vector table finds the handler by its name")]
        // SAFETY: no other function has this name; the vector table calls it with one argument.
        #[unsafe(export_name = "board_fault")]
        extern "C" fn fault_handler(address: usize) -> ! {
            $report(address)
        }
    };
}

struct SingleCore;

critical_section::set_impl!(SingleCore);

#[expect(unsafe_code, reason = "the trait is unsafe")]
// SAFETY: one core runs, and no image enables interrupts.
unsafe impl critical_section::Impl for SingleCore {
    unsafe fn acquire() {}
    unsafe fn release(_: ()) {}
}
