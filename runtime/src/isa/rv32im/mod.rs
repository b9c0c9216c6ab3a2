//! RISC-V with 32 bits and a multiplier; with extension F floats are fused.

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

#[cfg(not(rv32im_fpu))]
scalar_float!(Rv32im, fused false, |a: f32, b: f32, c: f32| a * b + c);
#[cfg(rv32im_fpu)]
scalar_float!(Rv32im, fused true, multiply_add);

/// Computes `a * b + c` with one rounding: `f32::mul_add` is not a part of `core`.
#[cfg(rv32im_fpu)]
#[inline(always)]
fn multiply_add(a: f32, b: f32, mut c: f32) -> f32 {
    // SAFETY: an instruction of extension F, which the target has by `cfg(rv32im_fpu)`; it touches registers
    // only.
    unsafe {
        core::arch::asm!(
            "fmadd.s {c}, {a}, {b}, {c}",
            a = in(freg) a, b = in(freg) b, c = inlateout(freg) c,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    c
}
