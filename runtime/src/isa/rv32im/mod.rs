//! RISC-V with 32 bits and a multiplier.

mod int;

use super::scalar::scalar_float;
use super::{Arithmetic, Float, FloatWeight, Isa};
use crate::format::LANES;

/// Proof that the code is compiled for this family, by `cfg(rv32im)` of `build.rs`.
#[derive(Debug, Clone, Copy)]
pub struct Rv32im(());

impl Isa for Rv32im {
    const NAME: &'static str = "rv32im";
}

impl Rv32im {
    /// Returns the proof: the target is the check.
    pub fn new() -> Self {
        Rv32im(())
    }
}

scalar_float!(Rv32im, fused false, |a: f32, b: f32, c: f32| a * b + c);
