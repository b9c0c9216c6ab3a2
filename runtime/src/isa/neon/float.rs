//! Four `f32` at once, with fused multiply-adds: the bits of the fused reference.

use super::Neon;
use crate::format::LANES;
use crate::isa::four_lanes::{WIDTH, add_products, four_lanes_float};
use crate::isa::{Arithmetic, Float, FloatWeight};
use core::arch::aarch64::*;
use core::arch::asm;

impl Arithmetic for Neon {
    type V = float32x4_t;
    const FUSED: bool = true;

    #[inline(always)]
    fn splat(self, value: f32) -> float32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vdupq_n_f32(value) }
    }
    #[inline(always)]
    fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vmulq_f32(a, b) }
    }
    #[inline(always)]
    fn div(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vdivq_f32(a, b) }
    }
    #[inline(always)]
    fn mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vfmaq_f32(c, a, b) }
    }
    // `FMIN` and `FMAX` return NaN if either is; here a NaN in `a` gives `b`.
    #[inline(always)]
    fn min(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vbslq_f32(vcltq_f32(a, b), a, b) }
    }
    #[inline(always)]
    fn max(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the target has NEON.
        unsafe { vbslq_f32(vcgtq_f32(a, b), a, b) }
    }
}

impl Float for Neon {
    // 24 vectors of sums; of the other eight registers, weights and the input take a few.
    const SUMS: usize = 12;

    four_lanes_float!(float32x4_t, load, store);

    #[inline(always)]
    fn accumulate<W: FloatWeight, const G: usize, const P: usize>(
        self,
        sums: &mut [[[float32x4_t; 2]; G]; P],
        rows: [&[[[W; LANES]; G]]; P],
        x: &[f32],
    ) {
        add_products(self, sums, rows, x);
    }

    #[inline(always)]
    fn panel_binary16(self, values: &[u16; LANES]) -> [float32x4_t; 2] {
        let (low, high): (float32x4_t, float32x4_t);
        // In assembly, as the type of a half float is not stable in Rust.
        // SAFETY: sixteen bytes lie behind the reference; the target has NEON.
        unsafe {
            let bits = vld1q_u16(values.as_ptr());
            asm!(
                "fcvtl {low:v}.4s, {bits:v}.4h",
                "fcvtl2 {high:v}.4s, {bits:v}.8h",
                bits = in(vreg) bits, low = out(vreg) low, high = lateout(vreg) high,
                options(pure, nomem, nostack, preserves_flags),
            );
        }
        [low, high]
    }
}

#[inline(always)]
fn load(values: &[f32; WIDTH]) -> float32x4_t {
    // SAFETY: four floats lie behind the reference; the target has NEON.
    unsafe { vld1q_f32(values.as_ptr()) }
}

#[inline(always)]
fn store(v: float32x4_t, out: &mut [f32; WIDTH]) {
    // SAFETY: four floats lie behind the reference; the target has NEON.
    unsafe { vst1q_f32(out.as_mut_ptr(), v) }
}
