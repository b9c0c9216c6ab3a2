//! Cortex-M0 and M0+: eight low registers for operands, high ones for sums, and products of 32 bits.

mod int;

use super::scalar::scalar_float;
use super::{Arithmetic, Float, FloatWeight, Isa};
use crate::format::LANES;

/// Proof that the code is compiled for ARMv6-M, by `cfg(armv6m)` of `build.rs`.
#[derive(Debug, Clone, Copy)]
pub struct Armv6m(());

impl Isa for Armv6m {
    const NAME: &'static str = "armv6m";
}

impl Armv6m {
    /// Returns the proof: the target is the check.
    pub fn new() -> Self {
        Armv6m(())
    }
}

scalar_float!(Armv6m, fused false, |a: f32, b: f32, c: f32| a * b + c);
