//! Cortex-M: SysTick as counter, start-up code and vector table of `cortex-m-rt`.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use cortex_m::peripheral::{Peripherals, SYST, syst::SystClkSource};
pub use cortex_m_rt::entry;

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

/// Start value of SysTick, which has 24 bits and counts down.
const RELOAD: u32 = 0x00ff_ffff;
/// The number of times that the counter has reached its end since `count` began.
static WRAPS: AtomicU32 = AtomicU32::new(0);

/// A counter of the ticks of a piece of code.
pub struct Counter {
    systick: SYST,
}

impl Counter {
    /// Starts SysTick on the clock of the core and returns the counter; `None` on a second call.
    pub fn take() -> Option<Self> {
        let mut systick = Peripherals::take()?.SYST;
        systick.set_clock_source(SystClkSource::Core);
        systick.set_reload(RELOAD);
        systick.clear_current();
        systick.enable_interrupt();
        systick.enable_counter();
        Some(Self { systick })
    }

    /// Returns the ticks between two reads of the counter around `work`, and the result of `work`. The few
    /// instructions of the interrupt at a wrap, once in 2^24 ticks, are included. The ticks are `None` if the
    /// counter wrapped between the last reads.
    #[inline(always)]
    pub fn count<R>(&mut self, work: impl FnOnce() -> R) -> (Option<u64>, R) {
        self.systick.clear_current();
        // The counter is 0 until the tick after a clear reloads it.
        while SYST::get_current() == 0 {}
        WRAPS.store(0, Relaxed);
        let start = SYST::get_current();
        let result = work();
        let end = SYST::get_current();
        let wraps = WRAPS.load(Relaxed);
        let whole = u64::from(wraps) * (u64::from(RELOAD) + 1);
        let ticks =
            if SYST::get_current() > end { None } else { Some(whole + u64::from(start) - u64::from(end)) };
        (ticks, result)
    }
}

#[cortex_m_rt::exception]
fn SysTick() {
    WRAPS.store(WRAPS.load(Relaxed) + 1, Relaxed);
}

/// Returns the stack pointer.
#[inline(always)]
#[expect(unsafe_code, reason = "the stack pointer is a register")]
pub fn stack_pointer() -> usize {
    let address: usize;
    // SAFETY: copies a register.
    unsafe { core::arch::asm!("mov {}, sp", out(reg) address, options(nomem, nostack, preserves_flags)) };
    address
}

/// Returns the lowest address that the stack may reach.
pub fn stack_bottom() -> usize {
    (&raw const _stack_end).addr()
}

#[expect(unsafe_code, reason = "the linker script's symbol")]
// SAFETY: `cortex-m-rt`'s linker script defines it; only its address is taken.
unsafe extern "C" {
    safe static _stack_end: u32;
}

/// Installs a function that receives the address of a faulting instruction.
#[macro_export]
macro_rules! on_fault {
    ($report:path) => {
        #[expect(unsafe_code, reason = "`cortex-m-rt` requires an unsafe handler")]
        #[cortex_m_rt::exception]
        unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
            $report(frame.pc() as usize)
        }
    };
}
