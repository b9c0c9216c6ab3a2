//! Instruction sets: what a kernel may ask of the CPU, and which CPU answers.
//!
//! A kernel is written once over [`Isa`]. A file here supplies loads, multiply-adds and table look-ups for one
//! instruction set and knows nothing of cells. A value of an ISA type is the proof that the CPU has it: the check and
//! the code that needs it stand in one file. All `unsafe` of the crate lives here.

mod float;
mod int;
mod portable;
#[cfg(all(test, feature = "std"))]
mod tests;

#[cfg(all(target_arch = "arm", armv7em_dsp))]
mod armv7em;
#[cfg(target_arch = "x86_64")]
mod avx2;

pub use float::{Float, FloatWeight, LANES};
pub use int::{Int, Side};
#[cfg(not(all(target_arch = "arm", armv7em_dsp)))]
use portable::Portable;

/// An instruction set: the float half and the integer half.
pub trait Isa: Float + Int {}
impl<T: Float + Int> Isa for T {}

/// Something to be run on whatever instruction set was chosen.
pub trait Operation {
    /// What it gives.
    type Output;
    /// Runs it. Implementations are `#[inline(always)]` down to the last loop, so that the whole kernel is compiled
    /// for the instruction set.
    fn run<S: Isa>(self, isa: S) -> Self::Output;
}

/// The code a [`Model`](crate::Model) runs on.
///
/// Integer models give the same bits on every backend. Float models give the same bits on all backends of the same
/// [arithmetic](Backend::is_fused): each sum adds its terms in the same order everywhere, so only the rounding
/// between multiplication and addition can differ.
#[derive(Debug, Clone, Copy)]
pub struct Backend(Choice);

#[derive(Debug, Clone, Copy)]
enum Choice {
    #[cfg(not(all(target_arch = "arm", armv7em_dsp)))]
    Portable(Portable),
    #[cfg(feature = "std")]
    PortableFused(portable::PortableFused),
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    #[cfg(all(target_arch = "arm", armv7em_dsp))]
    Armv7em(armv7em::Armv7em),
}

impl Backend {
    /// The fastest this machine runs: found out at run time with feature `std`, at compile time without.
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(isa) = avx2::Avx2::new() {
            return Backend(Choice::Avx2(isa));
        }
        #[cfg(all(target_arch = "arm", armv7em_dsp))]
        return Backend(Choice::Armv7em(armv7em::Armv7em::new()));
        #[cfg(not(all(target_arch = "arm", armv7em_dsp)))]
        Backend::portable()
    }

    /// Plain Rust, the specification of the integer arithmetic. Floats are multiplied and added in two roundings.
    #[cfg(not(all(target_arch = "arm", armv7em_dsp)))]
    pub fn portable() -> Self {
        Backend(Choice::Portable(Portable))
    }

    /// Plain Rust with fused multiply-adds: slow without the instruction, and the reference for those that have it.
    #[cfg(feature = "std")]
    pub fn portable_fused() -> Self {
        Backend(Choice::PortableFused(portable::PortableFused))
    }

    /// Every backend this machine runs, by [name](Backend::name).
    #[cfg(feature = "std")]
    pub fn all() -> impl Iterator<Item = Self> {
        let best = Backend::best();
        let others = [Backend::portable(), Backend::portable_fused()];
        others.into_iter().chain((best.name() != "portable").then_some(best))
    }

    /// `portable`, `portable-fused`, `avx2` or `armv7em`.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(not(all(target_arch = "arm", armv7em_dsp)))]
            Choice::Portable(_) => "portable",
            #[cfg(feature = "std")]
            Choice::PortableFused(_) => "portable-fused",
            #[cfg(target_arch = "x86_64")]
            Choice::Avx2(_) => "avx2",
            #[cfg(all(target_arch = "arm", armv7em_dsp))]
            Choice::Armv7em(_) => "armv7em",
        }
    }

    /// Whether float sums are made of fused multiply-adds (one rounding) or of two operations.
    pub fn is_fused(self) -> bool {
        match self.0 {
            #[cfg(not(all(target_arch = "arm", armv7em_dsp)))]
            Choice::Portable(_) => Portable::FUSED,
            #[cfg(feature = "std")]
            Choice::PortableFused(_) => portable::PortableFused::FUSED,
            #[cfg(target_arch = "x86_64")]
            Choice::Avx2(_) => avx2::Avx2::FUSED,
            #[cfg(all(target_arch = "arm", armv7em_dsp))]
            Choice::Armv7em(_) => armv7em::Armv7em::FUSED,
        }
    }

    #[inline(always)]
    pub(crate) fn run<O: Operation>(self, operation: O) -> O::Output {
        match self.0 {
            #[cfg(not(all(target_arch = "arm", armv7em_dsp)))]
            Choice::Portable(isa) => operation.run(isa),
            #[cfg(feature = "std")]
            Choice::PortableFused(isa) => operation.run(isa),
            #[cfg(target_arch = "x86_64")]
            Choice::Avx2(isa) => isa.run(operation),
            #[cfg(all(target_arch = "arm", armv7em_dsp))]
            Choice::Armv7em(isa) => operation.run(isa),
        }
    }
}
