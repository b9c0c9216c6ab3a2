//! x86-64 with AVX2, FMA and F16C, which all CPUs with AVX2 have: eight lanes.

pub(super) mod blocks;
mod float;
mod int;

use super::{Isa, Operation, Part};

/// Proof that this CPU has AVX2, FMA and F16C.
#[derive(Debug, Clone, Copy)]
pub struct Avx2(());

/// An intrinsic of these that touches no memory; used in methods of [`Avx2`] only.
macro_rules! avx2 {
    ($call:expr) => {
        // SAFETY: a value of `Avx2` exists, so `Avx2::new` has found the features on this CPU.
        unsafe { $call }
    };
}
use avx2;

impl Isa for Avx2 {
    const NAME: &'static str = "avx2";
    const ONE_FUNCTION: bool = true;
}

impl Avx2 {
    /// Returns the proof if this CPU has the features.
    #[cfg(feature = "std")]
    pub fn new() -> Option<Self> {
        let has = std::is_x86_feature_detected!("avx2")
            && std::is_x86_feature_detected!("fma")
            && std::is_x86_feature_detected!("f16c");
        has.then_some(Avx2(()))
    }

    /// Returns the proof if the target always has the features: without `std` the CPU cannot be asked.
    #[cfg(not(feature = "std"))]
    pub fn new() -> Option<Self> {
        cfg!(all(target_feature = "avx2", target_feature = "fma", target_feature = "f16c"))
            .then_some(Avx2(()))
    }

    /// Compiles the operation for these features and runs it.
    #[inline(always)]
    pub fn run<O: Operation>(self, operation: O) -> O::Output {
        #[target_feature(enable = "avx2,fma,f16c")]
        fn inner<O: Operation>(isa: Avx2, operation: O) -> O::Output {
            operation.run(isa)
        }
        avx2!(inner(self, operation))
    }

    /// Compiles a part of a kernel as a function of its own, and runs it.
    #[inline(always)]
    fn call_part<P: Part<Self>>(self, weights: &P::Weights, x: &[f32], h: &[f32], layer: &mut P::Layer) {
        #[target_feature(enable = "avx2,fma,f16c")]
        #[inline(never)]
        fn inner<P: Part<Avx2>>(isa: Avx2, weights: &P::Weights, x: &[f32], h: &[f32], layer: &mut P::Layer) {
            P::run(isa, weights, x, h, layer);
        }
        avx2!(inner::<P>(self, weights, x, h, layer));
    }
}
