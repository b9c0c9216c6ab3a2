//! The dtypes as the targets use them: inputs from arbitrary bytes, and outputs as bits to compare.

use embedded_rnn::{F16, F32, I8, Number};

/// A dtype whose models are run.
pub trait FuzzedNumber: Number {
    /// `true` if all backends give the same bits, and not only those of one arithmetic.
    const IS_EXACT: bool;

    /// Returns an input value of four bytes.
    fn input(bytes: [u8; 4]) -> Self::In;

    /// Returns the input value that is an id.
    fn id_input(id: u16) -> Self::In;

    /// Returns the bits of outputs. All NaNs are one: IEEE 754 leaves their payload open.
    fn bits(out: &[Self::Out]) -> Vec<u32>;
}

macro_rules! float_numbers {
    ($($number:ident)*) => {
        $(impl FuzzedNumber for $number {
            const IS_EXACT: bool = false;

            fn input(bytes: [u8; 4]) -> f32 {
                // Half of the values are near 0, where layers are not saturated.
                if bytes[0] % 2 == 0 { f32::from(bytes[1] as i8) / 32.0 } else { f32::from_le_bytes(bytes) }
            }

            fn id_input(id: u16) -> f32 {
                id.into()
            }

            fn bits(out: &[f32]) -> Vec<u32> {
                real_bits(out)
            }
        })*
    };
}
float_numbers!(F32 F16);

impl FuzzedNumber for I8 {
    const IS_EXACT: bool = true;

    fn input(bytes: [u8; 4]) -> i16 {
        i16::from_le_bytes([bytes[0], bytes[1]])
    }

    fn id_input(id: u16) -> i16 {
        id as i16
    }

    fn bits(out: &[i32]) -> Vec<u32> {
        bytemuck::cast_slice(out).to_vec()
    }
}

/// Returns the bits of real values, with one NaN.
pub fn real_bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() }).collect()
}
