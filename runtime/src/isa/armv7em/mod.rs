//! Cortex-M4 and M7, and ARMv8-M cores with DSP instructions: these for integers, `VFMA` for floats where
//! there is an FPU. Cores with Helium take its vectors for both.

use super::Isa;
#[cfg(not(armv7em_fpu))]
use super::{Arithmetic, Float, FloatWeight, scalar::scalar_float};
#[cfg(not(armv7em_fpu))]
use crate::format::LANES;

/// The core that the assembler assumes in a naked function, which does not take the target's features.
#[cfg(all(armv8m, not(helium)))]
macro_rules! cpu {
    () => {
        ".cpu cortex-m33"
    };
}
#[cfg(helium)]
macro_rules! cpu {
    () => {
        ".cpu cortex-m55"
    };
}
#[cfg(not(armv8m))]
macro_rules! cpu {
    () => {
        ""
    };
}

/// Multiplies and adds one row over four activations in r2 (0 1) and r3 (2 3); the word of its weights is
/// lost.
macro_rules! row {
    ($sum:literal, $w:literal) => {
        concat!(
            "smlad ", $sum, ", ", $w, ", r3, ", $sum, "\n", "lsls ", $w, ", ", $w, ", #8\n", "smlad ", $sum,
            ", ", $w, ", r2, ", $sum, "\n",
        )
    };
}

#[cfg(not(helium))]
mod dsp;
#[cfg(armv7em_fpu)]
mod float;
#[cfg(helium)]
mod helium;
mod int;

/// Proof that the code is compiled for ARMv7E-M, by `cfg(armv7em)` of `build.rs`: every core of the target,
/// or the core that the flags name, has these instructions.
#[derive(Debug, Clone, Copy)]
pub struct Armv7em(());

impl Isa for Armv7em {
    const NAME: &'static str = "armv7em";
}

impl Armv7em {
    /// Returns the proof: the target is the check.
    pub fn new() -> Self {
        Armv7em(())
    }
}

#[cfg(not(armv7em_fpu))]
scalar_float!(Armv7em, fused false, |a: f32, b: f32, c: f32| a * b + c);
