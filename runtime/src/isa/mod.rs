//! Instruction sets: the operations that a kernel may use, and the CPU that runs them.
//!
//! A kernel is written once over [`Isa`]. A file here implements loads, multiply-adds and table look-ups for
//! one instruction set and contains nothing about cells. A value of an ISA type is the proof that the CPU has
//! the instructions: the check and the code that needs it stand in one file. All `unsafe` of the crate lives
//! here.

mod binary16;
mod float;
#[cfg(any(neon, wasm128))]
mod four_lanes;
mod int;
#[cfg(not(wasm128))]
mod scalar;
pub mod tanh;
#[cfg(all(test, feature = "std"))]
mod tests;
#[cfg(thumb)]
mod thumb;

#[cfg(armv7em)]
mod armv7em;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(neon)]
mod neon;
#[cfg(not(own_isa))]
mod portable;
#[cfg(rv32im)]
mod rv32im;
#[cfg(wasm128)]
mod wasm128;

pub use float::{Arithmetic, Float, FloatWeight, Part};
#[cfg(not(own_isa))]
pub use int::mulh;
pub use int::{Int, IntGru, IntLstm, Sides, mulr, shr_round};

/// An instruction set: the float half and the integer half.
pub trait Isa: Float + Int {
    /// The name of the backend that runs it.
    const NAME: &'static str;
    /// `true` if all layers of a model are compiled into one function, which takes the features of the
    /// instruction set to all of them.
    const ONE_FUNCTION: bool = false;
}

/// A computation to be run on whatever instruction set was chosen.
pub trait Operation {
    /// The type of the result.
    type Output;
    /// Runs the computation. Implementations are `#[inline(always)]` down to the last loop, so that the whole
    /// kernel is compiled for the instruction set.
    fn run<S: Isa>(self, isa: S) -> Self::Output;
}

/// The instruction set that a [`Model`](crate::Model) runs on.
///
/// Integer models give the same bits on every backend. Float models give the same bits on all backends of the
/// same [arithmetic](Backend::is_fused): each sum adds its terms in the same order everywhere, so only the
/// rounding between multiplication and addition can differ.
#[derive(Debug, Clone, Copy)]
pub struct Backend(Choice);

#[derive(Debug, Clone, Copy)]
enum Choice {
    #[cfg(not(own_isa))]
    Portable(portable::Portable),
    #[cfg(portable_fused)]
    PortableFused(portable::PortableFused),
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Avx512),
    #[cfg(neon)]
    Neon(neon::Neon),
    #[cfg(thumb)]
    Thumb(thumb::Thumb),
    #[cfg(armv7em)]
    Armv7em(armv7em::Armv7em),
    #[cfg(rv32im)]
    Rv32im(rv32im::Rv32im),
    #[cfg(wasm128)]
    Wasm128(wasm128::Wasm128),
}

impl Backend {
    /// Returns the fastest backend of this machine: detected at run time with feature `std`, at compile time
    /// without.
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(isa) = avx512::Avx512::new() {
            return Backend(Choice::Avx512(isa));
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(isa) = avx2::Avx2::new() {
            return Backend(Choice::Avx2(isa));
        }
        #[cfg(neon)]
        return Backend(Choice::Neon(neon::Neon::new()));
        #[cfg(thumb)]
        return Backend(Choice::Thumb(thumb::Thumb::new()));
        #[cfg(armv7em)]
        return Backend(Choice::Armv7em(armv7em::Armv7em::new()));
        #[cfg(rv32im)]
        return Backend(Choice::Rv32im(rv32im::Rv32im::new()));
        #[cfg(wasm128)]
        return Backend(Choice::Wasm128(wasm128::Wasm128::new()));
        #[cfg(not(any(own_isa, neon)))]
        Backend::portable()
    }

    /// Returns the backend in plain Rust, which is the specification of the integer arithmetic. Floats are
    /// multiplied and added in two roundings.
    #[cfg(not(own_isa))]
    pub fn portable() -> Self {
        Backend(Choice::Portable(portable::Portable))
    }

    /// Returns the backend in plain Rust with fused multiply-adds: slow where the CPU lacks the instruction,
    /// and the reference for the backends that use it.
    #[cfg(portable_fused)]
    pub fn portable_fused() -> Self {
        Backend(Choice::PortableFused(portable::PortableFused))
    }

    /// Returns every backend that this machine runs, each [name](Backend::name) once.
    #[cfg(feature = "std")]
    pub fn all() -> impl Iterator<Item = Self> {
        Self::built().into_iter().filter_map(|(_, backend)| backend)
    }

    /// Returns the backend with this [name](Backend::name) if this machine runs it.
    #[cfg(feature = "std")]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|backend| backend.name() == name)
    }

    /// Returns the names of the backends that this build contains and this machine does not run, for tests
    /// and benchmarks to say so.
    #[cfg(feature = "std")]
    pub fn missing() -> impl Iterator<Item = &'static str> {
        Self::built().into_iter().filter(|(_, backend)| backend.is_none()).map(|(name, _)| name)
    }

    /// Returns the backends that this build contains, by name; `None` for those that this machine does not
    /// run.
    #[cfg(feature = "std")]
    fn built() -> impl IntoIterator<Item = (&'static str, Option<Self>)> {
        fn entry<S: Isa>(choice: Option<Choice>) -> (&'static str, Option<Backend>) {
            (S::NAME, choice.map(Backend))
        }
        [
            #[cfg(not(own_isa))]
            entry::<portable::Portable>(Some(Choice::Portable(portable::Portable))),
            #[cfg(portable_fused)]
            entry::<portable::PortableFused>(Some(Choice::PortableFused(portable::PortableFused))),
            #[cfg(target_arch = "x86_64")]
            entry::<avx2::Avx2>(avx2::Avx2::new().map(Choice::Avx2)),
            #[cfg(target_arch = "x86_64")]
            entry::<avx512::Avx512>(avx512::Avx512::new().map(Choice::Avx512)),
            #[cfg(neon)]
            entry::<neon::Neon>(Some(Choice::Neon(neon::Neon::new()))),
            #[cfg(wasm128)]
            entry::<wasm128::Wasm128>(Some(Choice::Wasm128(wasm128::Wasm128::new()))),
        ]
    }

    /// Returns the name: `portable`, `portable-fused`, `avx2`, `avx512`, `neon`, `thumb`, `armv7em`,
    /// `rv32im` or `wasm128`.
    pub fn name(self) -> &'static str {
        self.run(Describe).0
    }

    /// Returns `true` if float sums consist of fused multiply-adds, with one rounding each, and `false` if
    /// multiplication and addition are rounded separately.
    pub fn is_fused(self) -> bool {
        self.run(Describe).1
    }

    #[inline(always)]
    pub(crate) fn run<O: Operation>(self, operation: O) -> O::Output {
        match self.0 {
            #[cfg(not(own_isa))]
            Choice::Portable(isa) => operation.run(isa),
            #[cfg(portable_fused)]
            Choice::PortableFused(isa) => operation.run(isa),
            #[cfg(target_arch = "x86_64")]
            Choice::Avx2(isa) => isa.run(operation),
            #[cfg(target_arch = "x86_64")]
            Choice::Avx512(isa) => isa.run(operation),
            #[cfg(neon)]
            Choice::Neon(isa) => operation.run(isa),
            #[cfg(thumb)]
            Choice::Thumb(isa) => operation.run(isa),
            #[cfg(armv7em)]
            Choice::Armv7em(isa) => operation.run(isa),
            #[cfg(rv32im)]
            Choice::Rv32im(isa) => operation.run(isa),
            #[cfg(wasm128)]
            Choice::Wasm128(isa) => operation.run(isa),
        }
    }
}

/// The name of an instruction set, and whether its multiply-adds are fused.
struct Describe;

impl Operation for Describe {
    type Output = (&'static str, bool);

    #[inline(always)]
    fn run<S: Isa>(self, _isa: S) -> Self::Output {
        (S::NAME, S::FUSED)
    }
}
