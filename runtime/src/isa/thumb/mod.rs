//! Cortex-M without DSP instructions: M0, M0+ and M23, and with longer multiplications M3.

mod int;

use super::scalar::scalar_float;
use super::{Arithmetic, Float, FloatWeight, Isa};
use crate::format::LANES;

/// Proof that the code is compiled for ARM's M profile, by `cfg(thumb)` of `build.rs`.
#[derive(Debug, Clone, Copy)]
pub struct Thumb(());

impl Isa for Thumb {
    const NAME: &'static str = "thumb";
}

impl Thumb {
    /// Returns the proof: the target is the check.
    pub fn new() -> Self {
        Thumb(())
    }
}

scalar_float!(Thumb, fused false, |a: f32, b: f32, c: f32| a * b + c);
