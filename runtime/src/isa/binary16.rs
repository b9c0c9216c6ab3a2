//! Half floats (IEEE 754 binary16) for CPUs without an instruction that converts them.

/// Bits between the mantissas of the two formats, and between their exponents' biases.
const SHIFT: u32 = 23 - 10;
const REBIAS: u32 = (127 - 15) << 23;

#[cfg(own_isa)]
pub use by_cases as to_f32;
#[cfg(not(own_isa))]
pub use without_branches as to_f32;

/// Converts the bits of a binary16 value to `f32`; exact, NaN and its payload included. For cores where a
/// float operation is a call.
#[cfg(any(own_isa, test))]
#[inline(always)]
pub fn by_cases(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let magnitude = u32::from(bits & 0x7fff) << SHIFT;
    let value = match bits & 0x7c00 {
        0x7c00 => magnitude | 0xff << 23,
        0 if magnitude == 0 => 0,
        // A subnormal value: its leading one becomes the implicit one, below the least normal exponent,
        // 2^-14.
        0 => {
            let up = magnitude.leading_zeros() - (31 - 23);
            ((magnitude << up) & 0x7f_ffff) | (113 - up) << 23
        }
        _ => magnitude + REBIAS,
    };
    f32::from_bits(sign | value)
}

/// Converts as [`by_cases`] does, in operations that a compiler applies to a whole panel at once.
///
/// A subnormal value is the distance of a normal one from 2^-14, so that no subnormal `f32`, which some CPUs
/// are slow with, is an operand.
#[cfg(any(not(own_isa), test))]
#[inline(always)]
pub fn without_branches(bits: u16) -> f32 {
    const LEAST_NORMAL: u32 = (127 - 14) << 23;
    let mask = |condition: bool| u32::from(condition).wrapping_neg();
    let sign = u32::from(bits & 0x8000) << 16;
    let magnitude = u32::from(bits & 0x7fff) << SHIFT;
    let subnormal = f32::from_bits(magnitude + LEAST_NORMAL) - f32::from_bits(LEAST_NORMAL);
    let is_subnormal = mask(magnitude < 0x0400 << SHIFT);
    let value = subnormal.to_bits() & is_subnormal | (magnitude + REBIAS) & !is_subnormal;
    let largest_exponent = mask(magnitude >= 0x7c00 << SHIFT) & 0xff << 23;
    f32::from_bits(sign | value | largest_exponent)
}

#[cfg(test)]
mod tests {
    use super::{by_cases, without_branches};

    #[test]
    fn every_value_is_that_of_the_crate_half() {
        for bits in 0..=u16::MAX {
            let expected = half::f16::from_bits(bits).to_f32();
            for found in [by_cases(bits), without_branches(bits)] {
                let same = found.to_bits() == expected.to_bits();
                assert!(same || (found.is_nan() && expected.is_nan()), "{bits:#06x}");
            }
        }
    }
}
