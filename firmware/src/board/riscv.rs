//! RISC-V: `minstret` as counter, start-up code of `riscv-rt`.

use riscv::register::minstret;
pub use riscv_rt::entry;

/// Names the function that the start-up code calls.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        #[$crate::board::entry]
        fn start() -> ! {
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
        let start = minstret::read64();
        let result = work();
        (Some(minstret::read64() - start), result)
    }
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
    (&raw const __sheap).addr()
}

#[expect(unsafe_code, reason = "the linker script's symbol")]
// SAFETY: `riscv-rt`'s linker script defines it; only its address is taken.
unsafe extern "C" {
    safe static __sheap: u32;
}

/// Installs a function that receives the address of a faulting instruction.
#[macro_export]
macro_rules! on_fault {
    ($report:path) => {
        #[expect(unsafe_code, reason = "the start-up code finds the handler by its name")]
        // SAFETY: `riscv-rt` declares this name with this signature.
        #[unsafe(export_name = "ExceptionHandler")]
        extern "C" fn exception_handler(_: &riscv_rt::TrapFrame) -> ! {
            $report(riscv::register::mepc::read())
        }
    };
}
