//! Real values in and out of models of any dtype: quantized inputs, dequantized outputs.

use crate::error::Error;
use crate::model::Model;
use crate::number::{F16, F32, I8, Number};
use crate::state::State;

/// A dtype whose inputs are made of real values, and whose outputs are turned back into them.
pub trait QuantIo: Number {
    /// Returns outputs of zero.
    #[doc(hidden)]
    fn zeros<const COUNT: usize>() -> &'static [Self::Out; COUNT];

    /// Quantizes one time step.
    #[doc(hidden)]
    fn quantize<const F: u32>(
        model: &Model<'_, Self, F>,
        x: &[f32],
        out: &mut [Self::In],
    ) -> Result<(), Error>;

    /// Dequantizes an output of which one unit is `scale`.
    #[doc(hidden)]
    fn dequantize(y: Self::Out, scale: f32) -> f32;

    /// Returns the bits of an output in place of a real value.
    #[doc(hidden)]
    fn outputs_in(words: &mut [f32]) -> &mut [Self::Out];

    /// Returns the output whose bits stand in place of a real value.
    #[doc(hidden)]
    fn output_of(word: f32) -> Self::Out;
}

macro_rules! float_io {
    ($number:ident) => {
        impl QuantIo for $number {
            fn zeros<const COUNT: usize>() -> &'static [f32; COUNT] {
                &[0.0; COUNT]
            }

            fn quantize<const F: u32>(
                _model: &Model<'_, Self, F>,
                x: &[f32],
                out: &mut [f32],
            ) -> Result<(), Error> {
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = x;
                }
                Ok(())
            }
            fn dequantize(y: f32, _scale: f32) -> f32 {
                y
            }
            fn outputs_in(words: &mut [f32]) -> &mut [f32] {
                words
            }
            fn output_of(word: f32) -> f32 {
                word
            }
        }
    };
}
float_io!(F32);
float_io!(F16);

impl QuantIo for I8 {
    fn zeros<const COUNT: usize>() -> &'static [i32; COUNT] {
        &[0; COUNT]
    }

    fn quantize<const F: u32>(model: &Model<'_, Self, F>, x: &[f32], out: &mut [i16]) -> Result<(), Error> {
        model.quantize_input(x, out)
    }
    fn dequantize(y: i32, scale: f32) -> f32 {
        y as f32 * scale
    }
    fn outputs_in(words: &mut [f32]) -> &mut [i32] {
        bytemuck::try_cast_slice_mut(words).unwrap_or_default()
    }
    fn output_of(word: f32) -> i32 {
        word.to_bits() as i32
    }
}

impl<N: QuantIo, const F: u32> Model<'_, N, F> {
    /// Turns outputs into real values: multiplies integers by [`output_scale`](Self::output_scale), copies
    /// floats.
    ///
    /// ```
    /// use embedded_rnn::{I8, Model, Ram, include_model, ram_needed};
    ///
    /// static MODEL: &[u8] = include_model!("../tests/data/tiny.i8.ernn");
    ///
    /// let model = Model::<I8>::new(MODEL)?;
    /// let mut ram = Ram::<{ ram_needed(MODEL) }>::new();
    /// let mut state = model.state(&mut ram)?;
    ///
    /// let mut x = [0; 2];
    /// model.quantize_input(&[0.5, -0.25], &mut x)?;
    /// let y: &[i32] = model.step(&mut state, &x)?;
    /// let mut real = [0.0; 3];
    /// model.dequantize_output(y, &mut real)?;
    /// assert_eq!(real[0], y[0] as f32 * model.output_scale());
    /// # Ok::<(), embedded_rnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::OutputLength`] if `real` is not as long as `y`.
    pub fn dequantize_output(&self, y: &[N::Out], real: &mut [f32]) -> Result<(), Error> {
        let (expected, found) = (y.len(), real.len());
        if expected != found {
            return Err(Error::OutputLength { expected, found });
        }
        for (real, &y) in real.iter_mut().zip(y) {
            *real = N::dequantize(y, self.output_scale());
        }
        Ok(())
    }

    /// Runs many time steps as [`run`](Self::run) does, over real values whatever the dtype.
    ///
    /// `scratch` takes the quantized inputs: one time step is enough, and as many as it has room for go
    /// through the layers in one call; a model that [needs whole sequences](Self::needs_whole_sequences)
    /// requires room for all of `xs`.
    ///
    /// ```
    /// use embedded_rnn::{I8, Model, Ram, include_model, ram_needed};
    ///
    /// static MODEL: &[u8] = include_model!("../tests/data/tiny.i8.ernn");
    ///
    /// let model = Model::<I8>::new(MODEL)?;
    /// let mut ram = Ram::<{ ram_needed(MODEL) }>::new();
    /// let mut state = model.state(&mut ram)?;
    ///
    /// let xs = [0.5, -0.25, 0.125, 1.0]; // two time steps
    /// let mut y = [0.0; 6];
    /// let y = &mut y[..model.run_output_len(2)];
    /// model.run_real(&mut state, &xs, &mut [0; 2], y)?;
    /// # Ok::<(), embedded_rnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`run`](Self::run); [`Error::BufferTooSmall`] if `scratch` has less room.
    pub fn run_real(
        &self,
        state: &mut State<'_, N>,
        xs: &[f32],
        scratch: &mut [N::In],
        out: &mut [f32],
    ) -> Result<(), Error> {
        let size = self.input_size().max(1);
        let steps = xs.len() / size;
        if steps == 0 || steps * size != xs.len() {
            return Err(Error::InputLength { expected: size, found: xs.len() });
        }
        let (expected, found) = (self.run_output_len(steps), out.len());
        if expected != found {
            return Err(Error::OutputLength { expected, found });
        }
        let least = if self.needs_whole_sequences() { xs.len() } else { size };
        let (expected, found) = (least * size_of::<N::In>(), size_of_val(scratch));
        if found < expected {
            return Err(Error::BufferTooSmall { expected, found });
        }
        self.run_in_chunks(state, xs, scratch, N::outputs_in(out))?;
        for word in out {
            *word = N::dequantize(N::output_of(*word), self.output_scale());
        }
        Ok(())
    }

    /// Runs as many time steps at a time as `scratch` has room for.
    fn run_in_chunks(
        &self,
        state: &mut State<'_, N>,
        xs: &[f32],
        scratch: &mut [N::In],
        mut out: &mut [N::Out],
    ) -> Result<(), Error> {
        let size = self.input_size().max(1);
        let room = scratch.len() / size * size;
        for xs in xs.chunks(room.max(1)) {
            let quantized = scratch.get_mut(..xs.len()).unwrap_or_default();
            for (x, quantized) in xs.chunks_exact(size).zip(quantized.chunks_exact_mut(size)) {
                N::quantize(self, x, quantized)?;
            }
            let len = self.run_output_len(xs.len() / size);
            let (own, rest) = out.split_at_mut_checked(len).unwrap_or_default();
            self.run(state, quantized, own)?;
            // Of a model that gives one output, that of the last chunk remains.
            out = if self.returns_sequences() { rest } else { own };
        }
        Ok(())
    }
}
