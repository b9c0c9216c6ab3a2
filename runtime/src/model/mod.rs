//! A model file, checked once and then used in place. `check` is the door; `forward` the way through the layers a step at a
//! time, `sequence` a layer at a time, over `span`s of layers whose `sizes` are known; `generate` feeds answers back.

mod check;
mod checked;
mod forward;
mod generate;
mod labels;
#[cfg(feature = "std")]
mod owned;
mod sequence;
mod sizes;
mod span;
mod states;

pub use check::{Needs, needs};
#[cfg(feature = "std")]
pub use owned::{Checked, Phases};

use crate::error::Error;
use crate::format::features::{DECODER, MASKED, WHOLE_SEQUENCES};
use crate::format::{LayerRecord, Preamble, header::Header};
use crate::isa::Backend;
use crate::layers::{ALL_FEATURES, Kind, mask_value, quantize};
use crate::number::{I8, Number};
use crate::state::State;
use core::marker::PhantomData;
use sizes::Sizes;
use span::Span;

/// A network of numbers of kind `N`; weights and table of layers stay where the bytes lie.
///
/// `F` is what this build can run: kinds of layers, and features beside them. The default is everything;
/// `Model::<I8, { features(MODEL) }>` links only what that model uses.
#[derive(Debug, Clone, Copy)]
pub struct Model<'m, N: Number, const F: u32 = ALL_FEATURES> {
    bytes: &'m [u8],
    preamble: &'m Preamble,
    layers: &'m [LayerRecord],
    weights: &'m [N::Weight],
    sizes: Sizes,
    /// Layers up to the last recurrent one of those that read inputs: they must run at every step, answer wanted or not.
    body: usize,
    backend: Backend,
    number: PhantomData<N>,
}

impl<'m, N: Number, const F: u32> Model<'m, N, F> {
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

    /// Whether [`run`](Self::run) answers at every time step (many-to-many) or after the last one (many-to-one). A model with
    /// a [decoder](Self::has_decoder) answers in [`generate`](Self::generate) only.
    #[inline(always)]
    pub fn returns_sequences(&self) -> bool {
        self.preamble.flags & 1 != 0
    }

    /// Whether it is an encoder and a decoder: [`run`](Self::run) reads, [`generate`](Self::generate) answers.
    #[inline(always)]
    pub fn has_decoder(&self) -> bool {
        F & DECODER != 0 && self.preamble.decoder_at != 0
    }

    /// Whether a layer reads sequences from their ends: [`run`](Self::run) then takes a whole sequence at once, in memory of
    /// [`ram_needed_for`](crate::ram_needed_for) so many steps.
    #[inline(always)]
    pub fn needs_whole_sequences(&self) -> bool {
        F & WHOLE_SEQUENCES != 0 && self.preamble.features & WHOLE_SEQUENCES != 0
    }

    /// Values that a call of [`run`](Self::run) over `steps` time steps gives.
    pub fn run_output_len(&self, steps: usize) -> usize {
        match (self.has_decoder(), self.returns_sequences()) {
            (true, _) => 0,
            (_, true) => steps.saturating_mul(self.output_size()),
            (_, false) => self.output_size(),
        }
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

    /// A state at the start of a sequence, in memory of the caller's: a [`Ram`](crate::Ram) of [`ram_needed`] bytes
    /// ([`ram_needed_for`] the longest sequence, if the model [needs whole ones](Self::needs_whole_sequences)), or any bytes
    /// that are as many and aligned to 4.
    ///
    /// # Errors
    /// [`Error::RamTooSmall`], [`Error::Misaligned`].
    ///
    /// [`ram_needed`]: crate::ram_needed
    /// [`ram_needed_for`]: crate::ram_needed_for
    pub fn state<'r>(&self, ram: &'r mut (impl AsMut<[u8]> + ?Sized)) -> Result<State<'r, N>, Error> {
        let ram = ram.as_mut();
        let (expected, found) = (self.preamble.ram_needed as usize, ram.len());
        let used = if self.needs_whole_sequences() { found - found % 4 } else { expected };
        let ram = ram.get_mut(..used.max(expected)).ok_or(Error::RamTooSmall { expected, found })?;
        let memory = bytemuck::try_cast_slice_mut(ram).map_err(|_| Error::Misaligned)?;
        let mut state = State { memory, model: self.preamble.crc32, phases: [false; 2], number: PhantomData };
        state.reset();
        Ok(state)
    }

    /// One time step: takes [`input_size`](Self::input_size) values and gives the answer for the sequence so far; nothing,
    /// if the model has a [decoder](Self::has_decoder). An Embedding takes one value, an id.
    ///
    /// # Errors
    /// [`Error::InputLength`], [`Error::Id`], [`Error::WholeSequence`], [`Error::ForeignState`].
    pub fn step<'s>(&self, state: &'s mut State<'_, N>, x: &[N::In]) -> Result<&'s [N::Out], Error> {
        let expected = self.input_size();
        if x.len() != expected {
            return Err(Error::InputLength { expected, found: x.len() });
        }
        if self.needs_whole_sequences() {
            return Err(Error::WholeSequence);
        }
        self.check_owner(state)?;
        self.check_ids(x)?;
        self.forward(state, x, &mut []);
        Ok(if self.has_decoder() { &[] } else { self.answer(state.memory) })
    }

    /// Many time steps, one after another in `xs`: the same bits as as many calls of [`step`](Self::step), in chunks of
    /// any sizes. `out` takes the [answers](Self::run_output_len): one for each step if the model
    /// [returns sequences](Self::returns_sequences), else that after the last, none if it has a
    /// [decoder](Self::has_decoder).
    ///
    /// A model that [needs whole sequences](Self::needs_whole_sequences) takes `xs` for one, read from both ends; a
    /// call begins with the state that the one before left, or with that of [`State::reset`].
    ///
    /// # Errors
    /// [`Error::InputLength`] (also for no step at all), [`Error::OutputLength`], [`Error::Id`], [`Error::ForeignState`],
    /// [`Error::RamTooSmall`] if the sequence is longer than the state's memory has room for.
    pub fn run(&self, state: &mut State<'_, N>, xs: &[N::In], out: &mut [N::Out]) -> Result<(), Error> {
        let (size, found) = (self.input_size().max(1), xs.len());
        let steps = found / size;
        if steps == 0 || steps * size != found {
            return Err(Error::InputLength { expected: size, found });
        }
        let expected = self.run_output_len(steps);
        if out.len() != expected {
            return Err(Error::OutputLength { expected, found: out.len() });
        }
        self.check_owner(state)?;
        self.check_room(state, steps)?;
        self.check_ids(xs)?;
        self.forward(state, xs, out);
        Ok(())
    }

    /// Replays the golden trace of the file, from and back to a reset state, and compares the answer: bit for bit in an
    /// integer model, within the file's tolerance in a float model. At boot it shows that flash, compiler and core agree
    /// with the PC that made the file.
    ///
    /// # Errors
    /// [`Error::SelfTest`], [`Error::ForeignState`], [`Error::RamTooSmall`] for the golden trace of a model that needs whole
    /// sequences.
    pub fn self_test(&self, state: &mut State<'_, N>) -> Result<(), Error> {
        self.check_owner(state)?;
        let (inputs, golden) = self.golden()?;
        self.check_room(state, self.preamble.golden_steps as usize)?;
        self.check_ids(inputs)?;
        state.reset();
        self.forward(state, inputs, &mut []);
        if self.has_decoder() {
            self.decoder_step(state, 0)?;
        }
        let tolerance = self.preamble.golden_tolerance;
        let pairs = self.answer(state.memory).iter().zip(golden);
        let wrong = pairs.enumerate().find(|(_, (found, golden))| !N::agrees(**found, **golden, tolerance));
        let result = wrong.map_or(Ok(()), |(index, _)| Err(Error::SelfTest { index }));
        state.reset();
        result
    }

    /// The layers that read inputs, and where the memory of the others, a decoder, begins.
    #[inline(always)]
    fn first_chain(&self) -> Span<'m, N, F> {
        let all = Span { records: self.layers, weights: self.weights, ends: true };
        if self.has_decoder() { all.split_at(self.preamble.decoder_at as usize).0 } else { all }
    }

    /// Whether the time step `x` is none.
    #[inline(always)]
    fn is_none(&self, x: &[N::In]) -> bool {
        if F & MASKED == 0 {
            return false;
        }
        let Some(first) = self.layers.first().filter(|first| first.masks()) else { return false };
        if first.kind == Kind::Embedding as u8 {
            N::acts(x).first().is_some_and(|&id| N::id(id) == Some(0))
        } else {
            mask_value(self.weights.get(..self.words_of(first)).unwrap_or_default())
                .is_some_and(|value| N::is_none(x, value))
        }
    }

    /// Weights of a layer.
    fn words_of(&self, record: &LayerRecord) -> usize {
        record.weights_len as usize / size_of::<N::Weight>()
    }

    /// Refuses ids that the first layer, if it is an Embedding, has no weights for.
    #[inline(always)]
    fn check_ids(&self, xs: &[N::In]) -> Result<(), Error> {
        match self.layers.first() {
            Some(first) if F & 1 << Kind::Embedding as u32 != 0 && first.kind == Kind::Embedding as u8 => {
                let input_dim = first.input_dim;
                let known = |&id: &N::Act| N::id(id).is_some_and(|id| id < input_dim as usize);
                match N::acts(xs).iter().position(|id| !known(id)) {
                    Some(index) => Err(Error::Id { index, input_dim }),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// Refuses sequences that are longer than the state has room for.
    #[inline(always)]
    fn check_room(&self, state: &State<'_, N>, steps: usize) -> Result<(), Error> {
        if !self.needs_whole_sequences() {
            return Ok(());
        }
        let sequence = (self.preamble.ram_a_step as usize).saturating_mul(steps);
        let expected = (self.preamble.ram_needed as usize).saturating_add(sequence);
        let found = size_of_val(&*state.memory);
        if found < expected { Err(Error::RamTooSmall { expected, found }) } else { Ok(()) }
    }
}

impl<const F: u32> Model<'_, I8, F> {
    /// Real inputs of one time step as the integers that [`step`](Self::step) takes: normalized, rounded to nearest,
    /// saturated; ids as they are. The only floats of an integer model; a board that gets its inputs as integers does not
    /// need it.
    ///
    /// # Errors
    /// [`Error::InputLength`] if `x` is not one time step, [`Error::OutputLength`] if `out` is not as long, [`Error::Id`] if
    /// the model takes ids and this is none of its own.
    pub fn quantize_input(&self, x: &[f32], out: &mut [i16]) -> Result<(), Error> {
        let expected = self.input_size();
        if x.len() != expected {
            return Err(Error::InputLength { expected, found: x.len() });
        }
        if out.len() != expected {
            return Err(Error::OutputLength { expected, found: out.len() });
        }
        let Some(first) = self.layers.first() else { return Ok(()) };
        let (own, rest) = self.weights.split_at_checked(self.words_of(first)).unwrap_or_default();
        if first.kind == Kind::Embedding as u8 {
            return quantize_ids(x, out, first.input_dim);
        }
        if first.kind == Kind::Masking as u8 {
            if mask_value(own).is_some_and(|value| x.iter().all(|&x| x == value)) {
                out.fill(i16::MIN);
                return Ok(());
            }
            let words = self.layers.get(1).map_or(0, |second| self.words_of(second));
            quantize(rest.get(..words).unwrap_or_default(), x, out);
        } else {
            quantize(own, x, out);
        }
        Ok(())
    }
}

/// Ids as they are.
fn quantize_ids(x: &[f32], out: &mut [i16], input_dim: u32) -> Result<(), Error> {
    for (index, (&x, out)) in x.iter().zip(out).enumerate() {
        let id = x as u16;
        if f32::from(id) != x || u32::from(id) >= input_dim {
            return Err(Error::Id { index, input_dim });
        }
        *out = id as i16;
    }
    Ok(())
}
