//! x86-64 with AVX-512 (F, VL, BW, DQ) and VNNI: sixteen lanes.

mod float;
mod int;
mod tanh;

use super::avx2::Avx2;
use super::{Isa, Operation, Part};

/// Proof that this CPU has AVX-512 F, VL, BW, DQ and VNNI, and what [`Avx2`] stands for.
#[derive(Debug, Clone, Copy)]
pub struct Avx512(Avx2);

/// An intrinsic of these that touches no memory; used in methods of [`Avx512`] only.
macro_rules! avx512 {
    ($call:expr) => {
        // SAFETY: a value of `Avx512` exists, so `Avx512::new` has found the features on this CPU.
        unsafe { $call }
    };
}
use avx512;

impl Isa for Avx512 {
    const NAME: &'static str = "avx512";
    const ONE_FUNCTION: bool = true;
}

impl Avx512 {
    /// Returns the proof if this CPU has the features.
    #[cfg(feature = "std")]
    pub fn new() -> Option<Self> {
        let has = std::is_x86_feature_detected!("avx512f")
            && std::is_x86_feature_detected!("avx512vl")
            && std::is_x86_feature_detected!("avx512bw")
            && std::is_x86_feature_detected!("avx512dq")
            && std::is_x86_feature_detected!("avx512vnni");
        Avx2::new().filter(|_| has).map(Avx512)
    }

    /// Returns the proof if the target always has the features: without `std` the CPU cannot be asked.
    #[cfg(not(feature = "std"))]
    pub fn new() -> Option<Self> {
        let has = cfg!(all(
            target_feature = "avx512f",
            target_feature = "avx512vl",
            target_feature = "avx512bw",
            target_feature = "avx512dq",
            target_feature = "avx512vnni"
        ));
        Avx2::new().filter(|_| has).map(Avx512)
    }

    /// Compiles the operation for these features and runs it.
    #[inline(always)]
    pub fn run<O: Operation>(self, operation: O) -> O::Output {
        #[target_feature(enable = "avx2,fma,f16c,avx512f,avx512vl,avx512bw,avx512dq,avx512vnni")]
        fn inner<O: Operation>(isa: Avx512, operation: O) -> O::Output {
            operation.run(isa)
        }
        avx512!(inner(self, operation))
    }

    /// Compiles a part of a kernel as a function of its own, and runs it.
    #[inline(always)]
    fn call_part<P: Part<Self>>(self, weights: &P::Weights, x: &[f32], h: &[f32], layer: &mut P::Layer) {
        #[target_feature(enable = "avx2,fma,f16c,avx512f,avx512vl,avx512bw,avx512dq,avx512vnni")]
        #[inline(never)]
        fn inner<P: Part<Avx512>>(
            isa: Avx512,
            weights: &P::Weights,
            x: &[f32],
            h: &[f32],
            layer: &mut P::Layer,
        ) {
            P::run(isa, weights, x, h, layer);
        }
        avx512!(inner::<P>(self, weights, x, h, layer));
    }
}
