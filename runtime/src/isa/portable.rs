//! Plain Rust. For integers this is the specification: every other instruction set must give the same bits.

use super::scalar::{self, scalar_float, scalar_int};
use super::{Arithmetic, Float, FloatWeight, Int, Isa, Side, mulr};
use crate::format::LANES;

/// Any CPU.
#[derive(Debug, Clone, Copy)]
pub struct Portable;

/// Any CPU, with fused multiply-adds: the reference for the instruction sets that have them.
#[cfg(feature = "std")]
#[derive(Debug, Clone, Copy)]
pub struct PortableFused;

impl Isa for Portable {
    const NAME: &'static str = "portable";
}
scalar_float!(Portable, fused false, |a: f32, b: f32, c: f32| a * b + c);
scalar_int!(Portable, rows, mulr);

#[cfg(feature = "std")]
impl Isa for PortableFused {
    const NAME: &'static str = "portable-fused";
}
#[cfg(feature = "std")]
scalar_float!(PortableFused, fused true, f32::mul_add);
#[cfg(feature = "std")]
scalar_int!(PortableFused, rows, mulr);

/// Computes [`Int::rows`] of one block.
#[inline(always)]
fn rows<const R: usize, const SIDES: usize>(block: &[i32], sides: [Side<'_>; SIDES]) -> [i32; R] {
    scalar::rows(block, sides, dot, mulr)
}

/// Computes `sum_k w[r][k] * acts[k]` for `R` rows, whose weights lie in groups of eight, row by row, and a
/// last group of four if four are left over. The bytes of a word are the weights 0, 2, 1, 3 of a group of
/// four (FORMAT.md).
#[inline(always)]
fn dot<const R: usize>(weights: &[i32], acts: &[i32]) -> [i32; R] {
    let mut sums = [0i32; R];
    let (eights, four) = acts.as_chunks::<4>();
    let mut groups = weights.chunks_exact(2 * R);
    for (group, acts) in groups.by_ref().zip(eights) {
        let (rows, [a0, a1, a2, a3]) = (group.as_chunks::<2>().0, *acts);
        for (half, acts) in [[a0, a1], [a2, a3]].into_iter().enumerate() {
            for (sum, words) in sums.iter_mut().zip(rows) {
                *sum = sum.wrapping_add(dot4(words[half], acts));
            }
        }
    }
    if let (Some(&acts), Some(words)) = (four.first_chunk::<2>(), weights.get(eights.len() * 2 * R..)) {
        for (sum, &word) in sums.iter_mut().zip(words) {
            *sum = sum.wrapping_add(dot4(word, acts));
        }
    }
    sums
}

/// Computes the product of one word of weights with four activations.
#[inline(always)]
fn dot4(word: i32, [low, high]: [i32; 2]) -> i32 {
    let [w0, w2, w1, w3] = word.to_le_bytes().map(|b| b as i8 as i32);
    let (a0, a1, a2, a3) = (low as i16 as i32, low >> 16, high as i16 as i32, high >> 16);
    (w0 * a0).wrapping_add(w1 * a1).wrapping_add(w2 * a2).wrapping_add(w3 * a3)
}
