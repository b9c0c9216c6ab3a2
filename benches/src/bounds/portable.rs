//! The loops in portable Rust, for a CPU without a file of its own: as wide as the compiler makes them for
//! the target.

use std::hint::black_box;

use super::Block;

/// Accumulators in flight.
const ACCUMULATORS: usize = 32;

/// Multiply-adds per round.
pub const MULTIPLY_ADDS: usize = ACCUMULATORS;

/// Computes f32 multiply-adds on registers, in two roundings: a fused one would be a call on a CPU without
/// it.
pub fn multiply_adds(times: u64) {
    let mut sums = black_box([0.5f32; ACCUMULATORS]);
    let factor = black_box(0.5);
    for _ in 0..times {
        for sum in &mut sums {
            *sum = *sum * factor + factor;
        }
    }
    black_box(sums);
}

/// Reads all of `weights`, `times` times.
pub fn read(weights: &[Block], times: u64) {
    let mut seen = [0u8; size_of::<Block>()];
    for _ in 0..times {
        for block in black_box(weights) {
            for (seen, byte) in seen.iter_mut().zip(block) {
                *seen |= byte;
            }
        }
    }
    black_box(seen);
}

/// Reads all of `weights` as i8, widens them, multiplies them by i16 and adds them, `times` times.
pub fn widen(weights: &[Block], times: u64) {
    let act = black_box(-3i16);
    let mut sums = [0i32; 16];
    for _ in 0..times {
        for block in black_box(weights) {
            for part in block.as_chunks::<16>().0 {
                for (sum, &weight) in sums.iter_mut().zip(part) {
                    *sum = sum.wrapping_add(i32::from(weight.cast_signed()) * i32::from(act));
                }
            }
        }
    }
    black_box(sums);
}
