//! The mean of every feature over the time steps so far: Keras's GlobalAveragePooling1D, step by step.
//!
//! ```text
//! floats     | count | sum per feature | its rounding error per feature | mean per feature |
//! integers   | count | remainder per feature | mean per feature, 16 bits each |
//! ```
//!
//! A plain sum of floats loses its small terms as it grows, so it is compensated (Kahan). In integers the sum
//! itself is not stored: it is `count * mean + remainder`, where `mean` is the rounded one. 32 bits hold that
//! exactly for any number of time steps, and there is a division only where a mean changes.

use super::Layer;
use crate::format::{Activation, LayerRecord, MAX_INPUT_FRAC, MAX_POOLED_STEPS};
use crate::isa::Isa;
use crate::number::{FloatNumber, I8, Step, quads};
use core::ops::Range;

pub struct GlobalAveragePooling1D;

/// Returns 0, as there are no weights, if the output has the features of the input.
fn weights(r: &LayerRecord) -> Option<usize> {
    (r.input_size == r.units).then_some(0)
}

impl<N: FloatNumber> Layer<N> for GlobalAveragePooling1D {
    const ACTIVATIONS: &'static [Activation] = &[];
    const RECURRENT: bool = true;
    const FLAGS: u8 = 0;

    fn weights(r: &LayerRecord) -> Option<usize> {
        weights(r)
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        r.units().checked_mul(3)?.checked_add(1)
    }

    fn state(r: &LayerRecord, _phase: bool) -> [Range<usize>; 2] {
        let sums = 1 + 2 * r.units();
        [0..sums, sums..sums + r.units()]
    }

    // The bits of the word are the count; up to the limit they are those of a finite number.
    #[inline(always)]
    fn forward<'a, S: Isa, const F: u32>(
        _isa: S,
        step: Step<'a, N>,
        memory: &'a mut [f32],
    ) -> Option<&'a [f32]> {
        let Step { x, record, .. } = step;
        let (count, words) = memory.split_first_mut()?;
        let (sums, rest) = words.split_at_mut_checked(record.units())?;
        let (errors, means) = rest.split_at_mut_checked(record.units())?;
        let steps = count.to_bits().wrapping_add(1);
        if steps <= MAX_POOLED_STEPS {
            *count = f32::from_bits(steps);
            let features = sums.iter_mut().zip(errors).zip(&mut *means).zip(x);
            for (((sum, error), mean), &x) in features {
                let term = x - *error;
                let next = *sum + term;
                *error = (next - *sum) - term;
                *sum = next;
                *mean = next / steps as f32;
            }
        }
        Some(means)
    }
}

impl Layer<I8> for GlobalAveragePooling1D {
    const ACTIVATIONS: &'static [Activation] = &[];
    const RECURRENT: bool = true;
    const FLAGS: u8 = 0;
    // Those of the input.
    const MAX_FRAC: u32 = MAX_INPUT_FRAC;

    fn weights(r: &LayerRecord) -> Option<usize> {
        weights(r)
    }

    #[inline(always)]
    fn memory(r: &LayerRecord) -> Option<usize> {
        r.units().checked_add(quads(r.units()) / 2)?.checked_add(1)
    }

    fn state(r: &LayerRecord, _phase: bool) -> [Range<usize>; 2] {
        let sums = 1 + r.units();
        [0..sums, sums..sums + quads(r.units()) / 2]
    }

    #[inline(always)]
    fn forward<'a, S: Isa, const F: u32>(
        _isa: S,
        step: Step<'a, I8>,
        memory: &'a mut [i32],
    ) -> Option<&'a [i16]> {
        let Step { x, record, .. } = step;
        let (count, words) = memory.split_first_mut()?;
        let (remainders, words) = words.split_at_mut_checked(record.units())?;
        let means: &mut [i16] = bytemuck::try_cast_slice_mut(words).ok()?;
        let steps = count.wrapping_add(1);
        if (1..=MAX_POOLED_STEPS as i32).contains(&steps) {
            *count = steps;
            for ((mean, remainder), &x) in means.iter_mut().zip(remainders).zip(x) {
                (*mean, *remainder) = moved(*mean, *remainder, x, steps)?;
            }
        }
        Some(means)
    }
}

/// Adds `x` to the mean and remainder of `steps - 1` values: `steps * mean + remainder` is the sum, and the
/// remainder is in `-steps / 2 <= remainder < steps / 2`, so that the mean is rounded to nearest, halves up.
#[inline(always)]
fn moved(mean: i16, remainder: i32, x: i16, steps: i32) -> Option<(i16, i32)> {
    let rest = remainder.wrapping_add(i32::from(x)).wrapping_sub(i32::from(mean));
    let twice = rest.wrapping_mul(2);
    if (-steps..steps).contains(&twice) {
        return Some((mean, rest));
    }
    let change = twice.wrapping_add(steps).checked_div_euclid(steps.wrapping_mul(2))?;
    // The mean of 16-bit values is one.
    Some((i32::from(mean).wrapping_add(change) as i16, rest.wrapping_sub(change.wrapping_mul(steps))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the mean and the remainder of extreme and mixed values against sums of 64 bits.
    #[test]
    fn means_are_those_of_the_exact_sum() {
        let sequences: [fn(i64) -> i64; 5] = [
            |_| 32_767,
            |_| -32_767,
            |k| if k % 2 == 0 { 32_767 } else { -32_767 },
            |k| if k < 500 { -32_767 } else { 32_767 },
            |k| (k * k * 7_919) % 65_535 - 32_767,
        ];
        for value in sequences {
            let (mut mean, mut remainder, mut sum) = (0i16, 0i32, 0i64);
            for k in 0..2_000 {
                let (x, steps) = (value(k), k + 1);
                sum += x;
                (mean, remainder) = moved(mean, remainder, x as i16, steps as i32).unwrap();
                assert_eq!(i64::from(mean), (2 * sum + steps).div_euclid(2 * steps), "step {steps}");
                assert_eq!(steps * i64::from(mean) + i64::from(remainder), sum, "step {steps}");
            }
        }
    }

    /// Checks that no intermediate value leaves 32 bits at the largest number of time steps.
    #[test]
    fn the_largest_count_fits() {
        let steps = i64::from(MAX_POOLED_STEPS);
        for (mean, x) in [(-32_767, 32_767), (32_767, -32_767), (0, 0)] {
            for remainder in [-(steps - 1) / 2, (steps - 2) / 2] {
                let (found, rest) = moved(mean, remainder as i32, x, steps as i32).unwrap();
                let sum = (steps - 1) * i64::from(mean) + remainder + i64::from(x);
                assert_eq!(i64::from(found), (2 * sum + steps).div_euclid(2 * steps));
                assert_eq!(steps * i64::from(found) + i64::from(rest), sum);
            }
        }
    }
}
