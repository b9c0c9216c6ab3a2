//! Between real values and those of a kind of numbers.

use std::borrow::Cow;

use embedded_rnn::{Error, F16, F32, I8, Model, Number};

/// A kind of numbers that real values become, and that become real values.
pub trait QuantIo: Number {
    /// Frames as the model takes them.
    fn from_real<'a>(model: &Model<'_, Self>, frames: &'a [f32]) -> Result<Cow<'a, [Self::In]>, Error>;
    /// What the model answers, in real values.
    fn to_real<'a>(model: &Model<'_, Self>, out: &'a [Self::Out]) -> Cow<'a, [f32]>;
}

/// Models of floats take and give real values as they are.
macro_rules! real {
    ($number:ident) => {
        impl QuantIo for $number {
            fn from_real<'a>(_: &Model<'_, $number>, frames: &'a [f32]) -> Result<Cow<'a, [f32]>, Error> {
                Ok(Cow::Borrowed(frames))
            }

            fn to_real<'a>(_: &Model<'_, $number>, out: &'a [f32]) -> Cow<'a, [f32]> {
                Cow::Borrowed(out)
            }
        }
    };
}
real!(F32);
real!(F16);

impl QuantIo for I8 {
    fn from_real<'a>(model: &Model<'_, I8>, frames: &'a [f32]) -> Result<Cow<'a, [i16]>, Error> {
        let size = model.input_size();
        let mut quantized = vec![0; frames.len()];
        for (x, quantized) in frames.chunks(size).zip(quantized.chunks_mut(size)) {
            model.quantize_input(x, quantized)?;
        }
        Ok(Cow::Owned(quantized))
    }

    fn to_real<'a>(model: &Model<'_, I8>, out: &'a [i32]) -> Cow<'a, [f32]> {
        out.iter().map(|&value| value as f32 * model.output_scale()).collect()
    }
}
