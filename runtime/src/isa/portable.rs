//! Plain Rust. For integers this is the specification: every other instruction set must give the same bits.

use super::scalar::{scalar_float, scalar_int};
use super::{Arithmetic, Float, FloatWeight, Int, Isa, Sides, mulh, mulr};
use crate::format::LANES;

/// Any CPU.
#[derive(Debug, Clone, Copy)]
pub struct Portable;

/// Any CPU, with fused multiply-adds: the reference for the instruction sets that have them.
#[cfg(portable_fused)]
#[derive(Debug, Clone, Copy)]
pub struct PortableFused;

impl Isa for Portable {
    const NAME: &'static str = "portable";
}
scalar_float!(Portable, fused false, |a: f32, b: f32, c: f32| a * b + c);
scalar_int!(Portable, rows, mulr);

#[cfg(portable_fused)]
impl Isa for PortableFused {
    const NAME: &'static str = "portable-fused";
}
#[cfg(portable_fused)]
scalar_float!(PortableFused, fused true, f32::mul_add);
#[cfg(portable_fused)]
scalar_int!(PortableFused, rows, mulr);

/// Computes [`Int::rows`] of one block.
#[inline(always)]
fn rows<const R: usize, const SIDES: usize>(block: &[i32], sides: &Sides<'_, SIDES>) -> [i32; R] {
    let Some((&(mut sums), mut weights)) = block.split_first_chunk::<R>() else { return [0; R] };
    for side in sides.iter() {
        for (&quad, words) in side.quads().iter().zip(weights.as_chunks::<R>().0) {
            for (sum, &word) in sums.iter_mut().zip(words) {
                *sum = sum.wrapping_add(product(word, quad));
            }
        }
        weights = weights.get(R * side.quads().len()..).unwrap_or_default();
    }
    let Some(multipliers) = weights.first_chunk::<R>() else { return [0; R] };
    core::array::from_fn(|r| mulh(sums[r], multipliers[r]))
}

/// Computes the product of a word of weights and a quad of activations.
#[inline(always)]
fn product(word: i32, [a01, a23]: [i32; 2]) -> i32 {
    halves(word << 8, a01).wrapping_add(halves(word, a23))
}

/// Multiplies the halves of two words, as `i16`, and adds the two products.
#[inline(always)]
fn halves(a: i32, b: i32) -> i32 {
    let low = (a as i16 as i32) * (b as i16 as i32);
    ((a >> 16) * (b >> 16)).wrapping_add(low)
}
