//! A model file, validated once (`check`) and then used in place.
//!
//! `forward` runs the layers step by step, `sequence` a whole sequence layer by layer, both over `span`s of
//! layers; `sizes` plans the memory of a state; `generate` feeds outputs back; `states` reads and sets the
//! state of a layer, `saved` saves and restores all of it, and `initial` has those at the start.

mod check;
mod checked;
mod forward;
mod generate;
mod initial;
mod labels;
#[cfg(feature = "std")]
mod owned;
mod saved;
mod saved_len;
mod sequence;
mod sizes;
mod span;
mod states;

pub use check::feature_bits;
#[cfg(feature = "std")]
pub use owned::{Checked, Phases};
pub use saved_len::saved_len;
pub use sizes::Sizes;

use crate::error::Error;
use crate::format::feature_bits::{DECODER, MASKED, WHOLE_SEQUENCES};
use crate::format::{LayerRecord, Preamble, header::Header};
use crate::isa::Backend;
use crate::layers::{ALL_FEATURES, Kind, mask_value, quantize};
use crate::number::{I8, Number};
use crate::state::State;
use core::marker::PhantomData;
use span::Span;

/// A network of dtype `N`; weights and the table of layers stay where the bytes lie.
///
/// `F` is the set of features that the build contains: kinds of layers, and what models ask for beside them.
/// The default is everything; `Model::<I8, { features(MODEL) }>` links only what that model uses.
#[derive(Debug, Clone, Copy)]
pub struct Model<'m, N: Number, const F: u32 = ALL_FEATURES> {
    bytes: &'m [u8],
    preamble: &'m Preamble,
    layers: &'m [LayerRecord],
    weights: &'m [N::Weight],
    sizes: Sizes,
    /// Layers up to the last recurrent one of those that read the inputs: they must run at every step, also
    /// where no output is wanted.
    body: usize,
    backend: Backend,
    number: PhantomData<N>,
}

impl<'m, N: Number, const F: u32> Model<'m, N, F> {
    /// Returns the same model on another backend than the best; integer outputs do not change.
    #[must_use]
    pub fn with_backend(self, backend: Backend) -> Self {
        Model { backend, ..self }
    }

    /// Returns the backend in use.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Returns the number of input values per time step.
    #[inline(always)]
    pub fn input_size(&self) -> usize {
        self.preamble.input_size as usize
    }

    /// Returns the number of values of an output.
    #[inline(always)]
    pub fn output_size(&self) -> usize {
        self.preamble.output_size as usize
    }

    /// Returns `true` if [`run`](Self::run) gives an output at every time step (many-to-many), `false` if
    /// after the last one (many-to-one). A model with a [decoder](Self::has_decoder) gives outputs in
    /// [`generate`](Self::generate) only.
    #[inline(always)]
    pub fn returns_sequences(&self) -> bool {
        self.preamble.flags & 1 != 0
    }

    /// Returns `true` if the model is an encoder and a decoder: [`run`](Self::run) reads the inputs, and
    /// [`generate`](Self::generate) gives the outputs.
    #[inline(always)]
    pub fn has_decoder(&self) -> bool {
        F & DECODER != 0 && self.preamble.decoder_at != 0
    }

    /// Returns `true` if a layer runs backwards: [`run`](Self::run) then takes a whole sequence at once, in
    /// memory of [`ram_needed_for`](crate::ram_needed_for) so many steps.
    #[inline(always)]
    pub fn needs_whole_sequences(&self) -> bool {
        F & WHOLE_SEQUENCES != 0 && self.preamble.features & WHOLE_SEQUENCES != 0
    }

    /// Returns the number of output values of [`run`](Self::run) over `steps` time steps.
    pub fn run_output_len(&self, steps: usize) -> usize {
        match (self.has_decoder(), self.returns_sequences()) {
            (true, _) => 0,
            (_, true) => steps.saturating_mul(self.output_size()),
            (_, false) => self.output_size(),
        }
    }

    /// Returns the real value of one unit of the output; 1 in float models.
    pub fn output_scale(&self) -> f32 {
        self.preamble.output_scale
    }

    /// Returns the preamble.
    pub fn preamble(&self) -> &'m Preamble {
        self.preamble
    }

    /// Returns the table of layers.
    pub fn layers(&self) -> &'m [LayerRecord] {
        self.layers
    }

    /// Returns the weights of all layers, one after another, in the layout of FORMAT.md.
    pub fn weights(&self) -> &'m [N::Weight] {
        self.weights
    }

    /// Returns names and labels; `None` if the header cannot be decoded.
    ///
    /// ```
    /// # use embedded_rnn::{I8, Model, Ram, include_model, ram_needed};
    /// # static MODEL: &[u8] = include_model!("../../tests/data/letters.i8.ernn");
    /// # let model = Model::<I8>::new(MODEL)?;
    /// # let mut ram = Ram::<{ ram_needed(MODEL) }>::new();
    /// # let mut state = model.state(&mut ram)?;
    /// let header = model.header().unwrap();
    /// assert_eq!(header.info().layers as usize, model.layers().len());
    /// assert_eq!(header.labels().collect::<Vec<_>>(), [".", "a", "e", "n", "r"]);
    /// # Ok::<(), embedded_rnn::Error>(())
    /// ```
    pub fn header(&self) -> Option<Header<'m>> {
        let at = self.preamble.header_at as usize;
        Header::new(self.bytes.get(at..at.checked_add(self.preamble.header_len as usize)?)?)
    }

    /// Creates a state at the start of a sequence in the caller's memory: a [`Ram`](crate::Ram) of
    /// [`ram_needed`] bytes ([`ram_needed_for`] the longest sequence, if the model [needs whole
    /// ones](Self::needs_whole_sequences)), or any slice of as many bytes that is aligned to 4.
    ///
    /// ```
    /// # use embedded_rnn::{F32, Model, Ram, include_model, ram_needed};
    /// # static MODEL: &[u8] = include_model!("../../tests/data/tiny.ernn");
    /// let model = Model::<F32>::new(MODEL)?;
    /// let mut rams = [const { Ram::<{ ram_needed(MODEL) }>::new() }; 2];
    /// let [left, right] = &mut rams;
    /// let (mut left, mut right) = (model.state(left)?, model.state(right)?); // two sequences, one model
    /// model.step(&mut left, &[0.5, -0.25])?;
    /// model.step(&mut right, &[-1.0, 0.0])?;
    /// # Ok::<(), embedded_rnn::Error>(())
    /// ```
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
        let model = self.preamble.crc32;
        let mut state = State { memory, model, phases: [false; 2], at_start: true, number: PhantomData };
        state.reset();
        Ok(state)
    }

    /// Runs one time step on [`input_size`](Self::input_size) values and returns the output for the sequence
    /// so far; an empty slice if the model has a [decoder](Self::has_decoder). The input of an Embedding is
    /// one value, an id.
    ///
    /// ```
    /// # use embedded_rnn::{F32, Model, Ram, include_model, ram_needed};
    /// # static MODEL: &[u8] = include_model!("../../tests/data/tiny.ernn");
    /// # let model = Model::<F32>::new(MODEL)?;
    /// # let mut ram = Ram::<{ ram_needed(MODEL) }>::new();
    /// # let mut state = model.state(&mut ram)?;
    /// for x in [[0.5, -0.25], [1.0, 0.0]] {
    ///     let y: &[f32] = model.step(&mut state, &x)?;
    ///     assert_eq!(y.len(), model.output_size());
    /// }
    /// # Ok::<(), embedded_rnn::Error>(())
    /// ```
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
        if self.has_decoder() || self.has_mask() {
            self.forward(state, x, &mut []);
        } else {
            self.forward_one(state, x);
        }
        Ok(if self.has_decoder() { &[] } else { self.output(state.memory) })
    }

    /// Runs many time steps, one after another in `xs`: the same bits as that many calls of
    /// [`step`](Self::step), in chunks of any sizes. `out` receives the [outputs](Self::run_output_len): one
    /// per step if the model [returns sequences](Self::returns_sequences), else the one after the last step,
    /// none if it has a [decoder](Self::has_decoder).
    ///
    /// For a model that [needs whole sequences](Self::needs_whole_sequences), `xs` is one sequence; a call
    /// starts from the state that the call before left, or from that of [`State::reset`].
    ///
    /// ```
    /// # use embedded_rnn::{F32, Model, Ram, include_model, ram_needed};
    /// # static MODEL: &[u8] = include_model!("../../tests/data/tiny.ernn");
    /// # let model = Model::<F32>::new(MODEL)?;
    /// # let mut ram = Ram::<{ ram_needed(MODEL) }>::new();
    /// # let mut state = model.state(&mut ram)?;
    /// let xs = [0.5, -0.25, 1.0, 0.0, 0.75, -1.0]; // three time steps
    /// let mut out = [0.0; 9];
    /// model.run(&mut state, &xs, &mut out[..model.run_output_len(3)])?;
    /// # Ok::<(), embedded_rnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InputLength`] (also if there is no step at all), [`Error::OutputLength`], [`Error::Id`],
    /// [`Error::ForeignState`], [`Error::RamTooSmall`] if the sequence is longer than the state's memory has
    /// room for.
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

    /// Replays the golden trace of the file, from a reset state, compares the output and resets the state
    /// again: bit for bit in an integer model, within the file's tolerance in a float model. At boot it shows
    /// that flash, compiler and core agree with the PC that made the file.
    ///
    /// ```
    /// # use embedded_rnn::{F32, Model, Ram, include_model, ram_needed};
    /// # static MODEL: &[u8] = include_model!("../../tests/data/tiny.ernn");
    /// # let model = Model::<F32>::new(MODEL)?;
    /// # let mut ram = Ram::<{ ram_needed(MODEL) }>::new();
    /// # let mut state = model.state(&mut ram)?;
    /// model.self_test(&mut state)?; // at boot
    /// # Ok::<(), embedded_rnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::SelfTest`], [`Error::ForeignState`], [`Error::RamTooSmall`] for the golden trace of a model
    /// that needs whole sequences.
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
        let pairs = self.output(state.memory).iter().zip(golden);
        let wrong = pairs.enumerate().find(|(_, (found, golden))| !N::agrees(**found, **golden, tolerance));
        let result = wrong.map_or(Ok(()), |(index, _)| Err(Error::SelfTest { index }));
        state.reset();
        result
    }

    /// Returns all layers, those of a decoder included.
    #[inline(always)]
    fn all_layers(&self) -> Span<'m, N, F> {
        Span { records: self.layers, weights: self.weights, ends: true }
    }

    /// Returns the layers that read the inputs: all but those of a decoder.
    #[inline(always)]
    fn first_chain(&self) -> Span<'m, N, F> {
        let all = self.all_layers();
        if self.has_decoder() { all.split_at(self.preamble.decoder_at as usize).0 } else { all }
    }

    /// Returns `true` if time steps can be masked.
    #[inline(always)]
    fn has_mask(&self) -> bool {
        F & MASKED != 0 && self.layers.first().is_some_and(LayerRecord::masks)
    }

    /// Returns `true` if the time step `x` is masked.
    #[inline(always)]
    fn is_masked(&self, x: &[N::In]) -> bool {
        if F & MASKED == 0 {
            return false;
        }
        let Some(first) = self.layers.first().filter(|first| first.masks()) else { return false };
        if first.kind == Kind::Embedding as u8 {
            N::acts(x).first().is_some_and(|&id| N::id(id) == Some(0))
        } else {
            mask_value(self.weights.get(..self.words_of(first)).unwrap_or_default())
                .is_some_and(|value| N::is_masked(x, value))
        }
    }

    /// Returns the number of weights of a layer.
    fn words_of(&self, record: &LayerRecord) -> usize {
        record.weights_len as usize / size_of::<N::Weight>()
    }

    /// Checks that the first layer, if it is an Embedding, has weights for the ids.
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

    /// Checks that the state has room for a sequence of so many steps.
    #[inline(always)]
    fn check_room(&self, state: &State<'_, N>, steps: usize) -> Result<(), Error> {
        if !self.needs_whole_sequences() {
            return Ok(());
        }
        let sequence = (self.preamble.ram_per_step as usize).saturating_mul(steps);
        let expected = (self.preamble.ram_needed as usize).saturating_add(sequence);
        let found = size_of_val(&*state.memory);
        if found < expected { Err(Error::RamTooSmall { expected, found }) } else { Ok(()) }
    }
}

impl<const F: u32> Model<'_, I8, F> {
    /// Converts the real inputs of one time step to the integers that [`step`](Self::step) takes: normalized,
    /// rounded to nearest, saturated; ids stay as they are. The only floats of an integer model: a board
    /// whose inputs are integers does not need it.
    ///
    /// ```
    /// # use embedded_rnn::{I8, Model, Ram, include_model, ram_needed};
    /// # static MODEL: &[u8] = include_model!("../../tests/data/tiny.i8.ernn");
    /// # let model = Model::<I8>::new(MODEL)?;
    /// # let mut ram = Ram::<{ ram_needed(MODEL) }>::new();
    /// # let mut state = model.state(&mut ram)?;
    /// let mut x = [0; 2];
    /// model.quantize_input(&[0.5, -0.25], &mut x)?;
    /// model.step(&mut state, &x)?;
    /// # Ok::<(), embedded_rnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InputLength`] if `x` is not one time step, [`Error::OutputLength`] if `out` is not as long,
    /// [`Error::Id`] if the input is an id that the model has no weights for.
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

/// Converts ids, which stay as they are.
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
