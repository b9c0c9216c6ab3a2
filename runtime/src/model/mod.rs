//! A model file, checked once and then used in place. `check` is the door, `forward` the way through the layers.

mod check;
mod forward;

pub use check::ram_for;

use crate::error::Error;
use crate::format::{LayerRecord, Preamble, header::Header};
use crate::isa::Backend;
use crate::layers::{ALL_KINDS, quantize};
use crate::number::{I8, Number};
use crate::state::State;
use core::marker::PhantomData;

/// A network of numbers of kind `N`; weights and table of layers stay where the bytes lie.
///
/// `KINDS` is the set of layer kinds this build can run. The default is all of them;
/// `Model::<I8, { layer_kinds(MODEL) }>` links only what that model uses.
#[derive(Debug, Clone, Copy)]
pub struct Model<'m, N: Number, const KINDS: u32 = ALL_KINDS> {
    bytes: &'m [u8],
    preamble: &'m Preamble,
    layers: &'m [LayerRecord],
    weights: &'m [N::Weight],
    /// Layers up to the last recurrent one: those that must run at every step, answer wanted or not.
    body: usize,
    backend: Backend,
    number: PhantomData<N>,
}

impl<'m, N: Number, const KINDS: u32> Model<'m, N, KINDS> {
    /// The same model on another backend than the best; integer answers do not change.
    #[must_use]
    pub fn with_backend(self, backend: Backend) -> Self {
        Model { backend, ..self }
    }

    /// The backend in use.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Features of a time step.
    #[inline(always)]
    pub fn input_size(&self) -> usize {
        self.preamble.input_size as usize
    }

    /// Values of an answer.
    #[inline(always)]
    pub fn output_size(&self) -> usize {
        self.preamble.output_size as usize
    }

    /// Whether [`run`](Self::run) answers at every time step (many-to-many) or after the last one (many-to-one).
    #[inline(always)]
    pub fn returns_sequences(&self) -> bool {
        self.preamble.flags & 1 != 0
    }

    /// Real value of one unit of the output; 1 in float models.
    pub fn output_scale(&self) -> f32 {
        self.preamble.output_scale
    }

    /// The preamble, checked.
    pub fn preamble(&self) -> &'m Preamble {
        self.preamble
    }

    /// The table of layers, checked.
    pub fn layers(&self) -> &'m [LayerRecord] {
        self.layers
    }

    /// The weights of all layers, one after another, as FORMAT.md lays them out.
    pub fn weights(&self) -> &'m [N::Weight] {
        self.weights
    }

    /// Names and labels; `None` if the header is not one.
    pub fn header(&self) -> Option<Header<'m>> {
        let at = self.preamble.header_at as usize;
        Header::new(self.bytes.get(at..at.checked_add(self.preamble.header_len as usize)?)?)
    }

    /// A state at the start of a sequence, in memory of the caller's: a [`Ram`](crate::Ram) of [`ram_needed`] bytes,
    /// or any bytes that are as many and aligned to 4.
    ///
    /// # Errors
    /// [`Error::RamTooSmall`], [`Error::Misaligned`].
    ///
    /// [`ram_needed`]: crate::ram_needed
    pub fn state<'r>(&self, ram: &'r mut (impl AsMut<[u8]> + ?Sized)) -> Result<State<'r, N>, Error> {
        let ram = ram.as_mut();
        let (expected, found) = (self.preamble.ram_needed as usize, ram.len());
        let ram = ram.get_mut(..expected).ok_or(Error::RamTooSmall { expected, found })?;
        let memory = bytemuck::try_cast_slice_mut(ram).map_err(|_| Error::Misaligned)?;
        let mut state = State { memory, model: self.preamble.crc32, phase: false, number: PhantomData };
        state.reset();
        Ok(state)
    }

    /// One time step: takes [`input_size`](Self::input_size) values and gives the answer for the sequence so far.
    ///
    /// # Errors
    /// [`Error::InputLength`], [`Error::ForeignState`].
    pub fn step<'s>(&self, state: &'s mut State<'_, N>, x: &[N::In]) -> Result<&'s [N::Out], Error> {
        let expected = self.input_size();
        if x.len() != expected {
            return Err(Error::InputLength { expected, found: x.len() });
        }
        self.check_owner(state)?;
        self.forward(state, x, &mut []);
        Ok(self.answer(state.memory))
    }

    /// Many time steps, one after another in `xs`: the same bits as as many calls of [`step`](Self::step), in chunks of
    /// any sizes. `out` takes the answers, one for each step if the model
    /// [returns sequences](Self::returns_sequences), else that after the last.
    ///
    /// # Errors
    /// [`Error::InputLength`] (also for no step at all), [`Error::OutputLength`], [`Error::ForeignState`].
    pub fn run(&self, state: &mut State<'_, N>, xs: &[N::In], out: &mut [N::Out]) -> Result<(), Error> {
        let (size, found) = (self.input_size().max(1), xs.len());
        let steps = found / size;
        if steps == 0 || steps * size != found {
            return Err(Error::InputLength { expected: size, found });
        }
        let answers = if self.returns_sequences() { steps } else { 1 };
        let expected = answers.saturating_mul(self.output_size());
        if out.len() != expected {
            return Err(Error::OutputLength { expected, found: out.len() });
        }
        self.check_owner(state)?;
        self.forward(state, xs, out);
        Ok(())
    }

    /// Replays the golden trace of the file, from and back to a reset state, and compares the answer: bit for bit in an
    /// integer model, within the file's tolerance in a float model. At boot it shows that flash, compiler and core agree
    /// with the PC that made the file.
    ///
    /// # Errors
    /// [`Error::SelfTest`], [`Error::ForeignState`].
    pub fn self_test(&self, state: &mut State<'_, N>) -> Result<(), Error> {
        self.check_owner(state)?;
        let (inputs, golden) = self.golden()?;
        state.reset();
        self.forward(state, inputs, &mut []);
        let tolerance = self.preamble.golden_tolerance;
        let pairs = self.answer(state.memory).iter().zip(golden);
        let wrong = pairs.enumerate().find(|(_, (found, golden))| !N::agrees(**found, **golden, tolerance));
        let result = wrong.map_or(Ok(()), |(index, _)| Err(Error::SelfTest { index }));
        state.reset();
        result
    }
}

impl<const KINDS: u32> Model<'_, I8, KINDS> {
    /// Real inputs of one time step as the integers that [`step`](Self::step) takes: normalized, rounded to nearest,
    /// saturated. The only floats of an integer model; a board that gets its inputs as integers does not need it.
    ///
    /// # Errors
    /// [`Error::InputLength`] if `x` is not one time step, [`Error::OutputLength`] if `out` is not as long.
    pub fn quantize_input(&self, x: &[f32], out: &mut [i16]) -> Result<(), Error> {
        let expected = self.input_size();
        if x.len() != expected {
            return Err(Error::InputLength { expected, found: x.len() });
        }
        if out.len() != expected {
            return Err(Error::OutputLength { expected, found: out.len() });
        }
        let words = self.layers.first().map_or(0, |record| record.weights_len as usize / 4);
        quantize(self.weights.get(..words).unwrap_or_default(), x, out);
        Ok(())
    }
}
