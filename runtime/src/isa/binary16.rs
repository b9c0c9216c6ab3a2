//! Half floats (IEEE 754 binary16) for CPUs without an instruction that converts them.

/// Bits between the mantissas of the two formats, and between their exponents' biases.
const SHIFT: u32 = 23 - 10;
const REBIAS: u32 = (127 - 15) << 23;

/// Converts the bits of a binary16 value to `f32`; exact, NaN and its payload included.
#[inline(always)]
pub fn to_f32(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let magnitude = u32::from(bits & 0x7fff) << SHIFT;
    let value = match bits & 0x7c00 {
        0x7c00 => magnitude | 0xff << 23,
        0 if magnitude == 0 => 0,
        // A subnormal value: its leading one becomes the implicit one, below the least normal exponent, 2^-14.
        0 => {
            let up = magnitude.leading_zeros() - (31 - 23);
            ((magnitude << up) & 0x7f_ffff) | (113 - up) << 23
        }
        _ => magnitude + REBIAS,
    };
    f32::from_bits(sign | value)
}

#[cfg(test)]
mod tests {
    use super::to_f32;

    #[test]
    fn every_value_is_that_of_the_crate_half() {
        for bits in 0..=u16::MAX {
            let expected = half::f16::from_bits(bits).to_f32();
            let same = to_f32(bits).to_bits() == expected.to_bits();
            assert!(same || (to_f32(bits).is_nan() && expected.is_nan()), "{bits:#06x}");
        }
    }
}
