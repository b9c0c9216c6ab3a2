//! Plain Rust. For integers this is the specification; every other file must give its bits.

#[cfg(not(all(target_arch = "arm", armv7em_dsp)))]
use super::{Float, FloatWeight, Int, LANES, Side};
#[cfg(not(all(target_arch = "arm", armv7em_dsp)))]
use crate::activation::int::{mulr, tanh};

#[cfg(not(all(target_arch = "arm", armv7em_dsp)))]
use half::f16;

/// Any CPU.
#[cfg(not(all(target_arch = "arm", armv7em_dsp)))]
#[derive(Debug, Clone, Copy)]
pub struct Portable;

/// Any CPU, with fused multiply-adds: the reference for the instruction sets that have them.
#[cfg(feature = "std")]
#[derive(Debug, Clone, Copy)]
pub struct PortableFused;

#[cfg(not(armv7em_fpu))]
macro_rules! portable_float {
    ($isa:ty, fused $fused:literal, $mul_add:expr) => {
        impl Float for $isa {
            type Panel = [f32; LANES];
            type V = f32;
            const FUSED: bool = $fused;
            const WIDTH: usize = 1;
            const SUMS: usize = 1;

            #[inline(always)]
            fn panel(self, values: &[f32; LANES]) -> [f32; LANES] {
                *values
            }

            #[inline(always)]
            fn panel_f16(self, values: &[f16; LANES]) -> [f32; LANES] {
                values.map(f16::to_f32)
            }

            #[inline(always)]
            fn accumulate<W: FloatWeight, const G: usize, const P: usize>(
                self,
                sums: &mut [[[f32; LANES]; G]; P],
                rows: [&[[[W; LANES]; G]]; P],
                x: &[f32],
            ) {
                for (sums, rows) in sums.iter_mut().zip(rows) {
                    for (row, &x) in rows.iter().zip(x) {
                        for (sums, weights) in sums.iter_mut().zip(row) {
                            for (sum, w) in sums.iter_mut().zip(W::panel(self, weights)) {
                                *sum = $mul_add(w, x, *sum);
                            }
                        }
                    }
                }
            }

            #[inline(always)]
            fn take(self, panel: &[f32; LANES], at: usize) -> f32 {
                panel[at % LANES]
            }
            #[inline(always)]
            fn load(self, values: &[f32; LANES], at: usize) -> f32 {
                values[at % LANES]
            }
            #[inline(always)]
            fn store(self, v: f32, out: &mut [f32; LANES], at: usize) {
                out[at % LANES] = v;
            }
            #[inline(always)]
            fn splat(self, value: f32) -> f32 {
                value
            }
            #[inline(always)]
            fn mul(self, a: f32, b: f32) -> f32 {
                a * b
            }
            #[inline(always)]
            fn div(self, a: f32, b: f32) -> f32 {
                a / b
            }
            #[inline(always)]
            fn mul_add(self, a: f32, b: f32, c: f32) -> f32 {
                $mul_add(a, b, c)
            }
            #[inline(always)]
            fn min(self, a: f32, b: f32) -> f32 {
                if a < b { a } else { b }
            }
            #[inline(always)]
            fn max(self, a: f32, b: f32) -> f32 {
                if a > b { a } else { b }
            }
        }
    };
}

/// Integer arithmetic on one block at a time, its products by `$rows`.
macro_rules! scalar_int {
    ($isa:ty, $rows:path) => {
        impl Int for $isa {
            type W = i32;
            const BLOCKS: usize = 1;

            #[inline(always)]
            fn rows<const R: usize, const SIDES: usize>(
                self,
                blocks: &[i32],
                _stride: usize,
                at: usize,
                sides: [Side<'_>; SIDES],
            ) -> [i32; R] {
                $rows(blocks.get(at..).unwrap_or_default(), sides)
            }

            #[inline(always)]
            fn places<'a, T: 'a>(values: &'a mut [T]) -> impl Iterator<Item = &'a mut [T]> {
                values.iter_mut().map(core::slice::from_mut)
            }
            #[inline(always)]
            fn load_i32(self, values: &[i32]) -> i32 {
                values.first().copied().unwrap_or(0)
            }
            #[inline(always)]
            fn load_i16<const R: usize>(self, values: &[i16]) -> [i32; R] {
                core::array::from_fn(|r| i32::from(values.get(r).copied().unwrap_or(0)) << 16)
            }
            #[inline(always)]
            fn store_rows<const R: usize>(self, v: [i32; R], out: &mut [i32]) {
                for (out, v) in out.iter_mut().zip(v) {
                    *out = v;
                }
            }
            #[inline(always)]
            fn store_i16<const R: usize>(self, v: [i32; R], out: &mut [i16]) {
                for (out, v) in out.iter_mut().zip(v) {
                    *out = v.clamp(i16::MIN as i32, i16::MAX as i32) as i16;
                }
            }
            #[inline(always)]
            fn splat_i32(self, value: i32) -> i32 {
                value
            }
            #[inline(always)]
            fn add_i32(self, a: i32, b: i32) -> i32 {
                a.wrapping_add(b)
            }
            #[inline(always)]
            fn sub_i32(self, a: i32, b: i32) -> i32 {
                a.wrapping_sub(b)
            }
            #[inline(always)]
            fn half(self, a: i32) -> i32 {
                a >> 1
            }
            #[inline(always)]
            fn mulr(self, a: i32, b: i32) -> i32 {
                mulr(a, b)
            }
            #[inline(always)]
            fn shr(self, a: i32, by: u32) -> i32 {
                a.wrapping_shr(by)
            }
            #[inline(always)]
            fn shl(self, a: i32, by: u32) -> i32 {
                a.wrapping_shl(by)
            }
            #[inline(always)]
            fn shr_round<const N: u32>(self, a: i32) -> i32 {
                a.wrapping_add(1 << (N - 1)) >> N
            }
            #[inline(always)]
            fn clamp(self, a: i32, low: i32, high: i32) -> i32 {
                a.max(low).min(high)
            }
            #[inline(always)]
            fn tanh_i32(self, a: i32) -> i32 {
                tanh(a)
            }
        }
    };
}
#[cfg(all(target_arch = "arm", armv7em_dsp, not(armv7em_fpu)))]
pub(super) use portable_float;
#[cfg(all(target_arch = "arm", armv7em_dsp))]
pub(super) use scalar_int;

/// [`Int::rows`] of one block.
#[cfg(not(all(target_arch = "arm", armv7em_dsp)))]
#[inline(always)]
fn rows<const R: usize, const SIDES: usize>(block: &[i32], sides: [Side<'_>; SIDES]) -> [i32; R] {
    let Some((&(mut p), mut rest)) = block.split_first_chunk::<R>() else { return [0; R] };
    for side in sides {
        let Some((own, others)) = rest.split_at_checked(side.words(R)) else { break };
        rest = others;
        let Some((multipliers, weights)) = own.split_first_chunk::<R>() else { break };
        let sums: [i32; R] = dot(weights, side.acts);
        for ((p, sum), &multiplier) in p.iter_mut().zip(sums).zip(multipliers) {
            *p = p.wrapping_add(mulr(sum.wrapping_shl(side.shift.into()), multiplier));
        }
    }
    p
}

/// `sum_k w[r][k] * acts[k]` for `R` rows, whose weights lie in groups of eight, row by row, and a last group of four
/// if that is what is left. The bytes of a word are the weights 0, 2, 1, 3 of a group of four (INTEGER.md).
#[cfg(not(all(target_arch = "arm", armv7em_dsp)))]
#[inline(always)]
fn dot<const R: usize>(weights: &[i32], acts: &[i32]) -> [i32; R] {
    let mut sums = [0i32; R];
    let (eights, four) = acts.as_chunks::<4>();
    let mut groups = weights.chunks_exact(2 * R);
    for (group, acts) in groups.by_ref().zip(eights) {
        for (sum, words) in sums.iter_mut().zip(group.as_chunks::<2>().0) {
            *sum = sum.wrapping_add(dot4(words[0], [acts[0], acts[1]]));
            *sum = sum.wrapping_add(dot4(words[1], [acts[2], acts[3]]));
        }
    }
    if let (Some(&acts), Some(words)) = (four.first_chunk::<2>(), weights.get(eights.len() * 2 * R..)) {
        for (sum, &word) in sums.iter_mut().zip(words) {
            *sum = sum.wrapping_add(dot4(word, acts));
        }
    }
    sums
}

#[cfg(not(all(target_arch = "arm", armv7em_dsp)))]
#[inline(always)]
fn dot4(word: i32, [low, high]: [i32; 2]) -> i32 {
    let [w0, w2, w1, w3] = word.to_le_bytes().map(|b| b as i8 as i32);
    let (a0, a1, a2, a3) = (low as i16 as i32, low >> 16, high as i16 as i32, high >> 16);
    (w0 * a0).wrapping_add(w1 * a1).wrapping_add(w2 * a2).wrapping_add(w3 * a3)
}

#[cfg(not(all(target_arch = "arm", armv7em_dsp)))]
portable_float!(Portable, fused false, |a: f32, b: f32, c: f32| a * b + c);
#[cfg(not(all(target_arch = "arm", armv7em_dsp)))]
scalar_int!(Portable, rows);
#[cfg(feature = "std")]
portable_float!(PortableFused, fused true, f32::mul_add);
#[cfg(feature = "std")]
scalar_int!(PortableFused, rows);
