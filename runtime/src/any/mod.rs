//! Models whose dtype a program finds out when it reads them.

mod as_dtype;
mod read;
mod state;

pub use read::ReadError;
pub use state::AnyState;

use crate::aligned_bytes::AlignedBytes;
use crate::error::Error;
use crate::format::header::Header;
use crate::format::{DType, LayerRecord, PREAMBLE_LEN, Preamble, dtype};
use crate::isa::Backend;
use crate::layers::Kind;
use crate::model::{Checked, Model};
use crate::number::{F16, F32, I8, Number};
use std::path::Path;

/// A model of any dtype with its bytes: real values in and out.
///
/// ```
/// use embedded_rnn::{AnyModel, argmax};
///
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny.i8.ernn");
/// let model = AnyModel::read(path)?;
/// model.self_test()?;
///
/// let mut state = model.state()?;
/// let y: &[f32] = model.step(&mut state, &[0.5, -0.25])?;
/// println!("class {} of {}", argmax(y), model.output_size());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It costs a heap and the code of all layers and dtypes; a firmware has [`model!`](crate::model).
#[derive(Debug, Clone)]
pub struct AnyModel {
    bytes: AlignedBytes,
    dtype: DType,
    preamble: Preamble,
    checked: Checked,
}

/// Evaluates an expression of the model with its dtype as a type.
macro_rules! with_dtype {
    ($any:expr, $model:ident => $value:expr) => {
        match $any.dtype {
            DType::F32 => $any.open::<F32>().and_then(|$model| $value),
            DType::F16 => $any.open::<F16>().and_then(|$model| $value),
            DType::I8 => $any.open::<I8>().and_then(|$model| $value),
        }
    };
}

impl AnyModel {
    /// Reads a file and checks it. Nothing of it is trusted: memory grows with the bytes that are there.
    ///
    /// # Errors
    /// [`ReadError`]: the file cannot be read, or [`new`](Self::new) rejects it.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let path = path.as_ref();
        let bytes = read::bytes(path).map_err(|error| ReadError::io(path, error))?;
        Self::new(bytes).map_err(|error| ReadError::model(path, error))
    }

    /// Checks a model.
    ///
    /// ```
    /// use embedded_rnn::{AlignedBytes, AnyModel, DType};
    ///
    /// let bytes = AlignedBytes::new(include_bytes!("../../tests/data/tiny.ernn"));
    /// assert_eq!(AnyModel::new(bytes)?.dtype(), DType::F32);
    /// # Ok::<(), embedded_rnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::new`].
    pub fn new(bytes: AlignedBytes) -> Result<Self, Error> {
        // A file of an unknown dtype is rejected with the reason.
        let dtype = dtype(&bytes).unwrap_or(DType::F32);
        let checked = match dtype {
            DType::F32 => Model::<F32>::new(&bytes)?.checked(),
            DType::F16 => Model::<F16>::new(&bytes)?.checked(),
            DType::I8 => Model::<I8>::new(&bytes)?.checked(),
        };
        let preamble: &Preamble = bytemuck::try_from_bytes(bytes.get(..PREAMBLE_LEN).unwrap_or_default())
            .map_err(|_| Error::NotAModel)?;
        Ok(AnyModel { dtype, preamble: *preamble, checked, bytes })
    }

    /// Returns the same model on another backend than the best; integer outputs do not change.
    #[must_use]
    pub fn with_backend(self, backend: Backend) -> Self {
        AnyModel { checked: self.checked.with_backend(backend), ..self }
    }

    /// Opens the model with its dtype as a type.
    #[inline(never)] // All methods begin with it, in each dtype.
    fn open<N: Number>(&self) -> Result<Model<'_, N>, Error> {
        Model::reopen(&self.bytes, self.checked).ok_or(Error::NotAModel)
    }

    /// Returns the model as one of the dtype `N`; `None` if it has another.
    ///
    /// ```
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny.i8.ernn");
    /// let model = embedded_rnn::AnyModel::read(path).unwrap();
    /// assert!(model.as_model::<embedded_rnn::I8>().is_some());
    /// assert!(model.as_model::<embedded_rnn::F32>().is_none());
    /// ```
    pub fn as_model<N: Number>(&self) -> Option<Model<'_, N>> {
        if N::DTYPE == self.dtype { self.open().ok() } else { None }
    }

    /// Returns the bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the dtype.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Returns the preamble.
    pub fn preamble(&self) -> &Preamble {
        &self.preamble
    }

    /// Returns the table of layers.
    pub fn layers(&self) -> &[LayerRecord] {
        let len = self.preamble.layer_count as usize * size_of::<LayerRecord>();
        let records = self.bytes.get(PREAMBLE_LEN..PREAMBLE_LEN + len).unwrap_or_default();
        bytemuck::try_cast_slice(records).unwrap_or_default()
    }

    /// Returns names and labels; `None` if the header is not one.
    pub fn header(&self) -> Option<Header<'_>> {
        let at = self.preamble.header_at as usize;
        Header::new(self.bytes.get(at..at.checked_add(self.preamble.header_len as usize)?)?)
    }

    /// Returns the name of class `k`, if the file has one.
    pub fn label(&self, k: usize) -> Option<&str> {
        self.header()?.labels().nth(k)
    }

    /// Returns the number of features of a time step.
    pub fn input_size(&self) -> usize {
        self.preamble.input_size as usize
    }

    /// Returns the number of values of an output.
    pub fn output_size(&self) -> usize {
        self.preamble.output_size as usize
    }

    /// Returns the number of ids if the model takes ids and not features.
    pub fn input_ids(&self) -> Option<usize> {
        let first = self.layers().first().filter(|first| first.kind == Kind::Embedding as u8)?;
        Some(first.input_dim as usize)
    }

    /// Returns the value that all features of a masked time step have, if there are such; that of an id is 0.
    pub fn mask_value(&self) -> Option<f32> {
        let first = self.layers().first().filter(|first| first.masks())?;
        if first.kind == Kind::Embedding as u8 {
            return Some(0.0);
        }
        let at = self.preamble.weights_at as usize;
        Some(f32::from_le_bytes(*self.bytes.get(at..)?.first_chunk()?))
    }

    /// Returns `true` if [`run`](Self::run) has an output for every time step: [`Model::returns_sequences`].
    pub fn returns_sequences(&self) -> bool {
        with_dtype!(self, model => Ok(model.returns_sequences())).unwrap_or_default()
    }

    /// Returns `true` if the model is an encoder and a decoder: [`Model::has_decoder`].
    pub fn has_decoder(&self) -> bool {
        with_dtype!(self, model => Ok(model.has_decoder())).unwrap_or_default()
    }

    /// Returns `true` if [`run`](Self::run) requires a whole sequence: [`Model::needs_whole_sequences`].
    pub fn needs_whole_sequences(&self) -> bool {
        with_dtype!(self, model => Ok(model.needs_whole_sequences())).unwrap_or_default()
    }

    /// Makes a state at the start of a sequence. One model can have many.
    ///
    /// # Errors
    /// [`Error::RamTooSmall`] for a file that asks for more than 2 GiB.
    pub fn state(&self) -> Result<AnyState, Error> {
        with_dtype!(self, model => AnyState::new(&model))
    }

    /// Runs one time step and returns the output for the sequence so far: [`Model::step`].
    ///
    /// # Errors
    /// As [`Model::step`].
    pub fn step<'s>(&self, state: &'s mut AnyState, x: &[f32]) -> Result<&'s [f32], Error> {
        with_dtype!(self, model => state.step(&model, x))
    }

    /// Runs many time steps, or a whole sequence, for which the state takes the memory that it requires:
    /// [`Model::run`].
    ///
    /// ```
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/bidirectional.i8.ernn");
    /// let model = embedded_rnn::AnyModel::read(path)?;
    /// let sequence = [0.5, -0.25, 0.0, 1.0, 0.75, -1.0]; // three time steps of two features
    /// let y = model.run(&mut model.state()?, &sequence)?;
    /// assert_eq!(y.len(), 3 * model.output_size());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::run`]; [`Error::RamTooSmall`] for a sequence that takes more than 2 GiB.
    pub fn run(&self, state: &mut AnyState, xs: &[f32]) -> Result<Vec<f32>, Error> {
        with_dtype!(self, model => state.run(&model, xs))
    }

    /// Runs one step of the decoder, or of a model that takes ids: [`Model::decoder_step`].
    ///
    /// # Errors
    /// As [`Model::decoder_step`].
    pub fn decoder_step<'s>(&self, state: &'s mut AnyState, id: u16) -> Result<&'s [f32], Error> {
        with_dtype!(self, model => state.decoder_step(&model, id))
    }

    /// Generates from `first` on, every id being what `choose` makes of the output for the one before:
    /// [`Model::generate`].
    ///
    /// # Errors
    /// As [`Model::generate`].
    pub fn generate(
        &self,
        state: &mut AnyState,
        first: u16,
        mut choose: impl FnMut(&[f32]) -> Option<u16>,
    ) -> Result<(), Error> {
        let mut next = Some(first);
        while let Some(id) = next {
            next = choose(self.decoder_step(state, id)?);
        }
        Ok(())
    }

    /// Generates the likeliest ids before the first `end`, at most `most`: [`Model::greedy`].
    ///
    /// ```
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/decoder.i8.ernn");
    /// let model = embedded_rnn::AnyModel::read(path)?;
    /// let mut state = model.state()?;
    /// model.run(&mut state, &[3.0, 1.0, 4.0])?; // the encoder processes three ids
    /// let ids: Vec<u16> = model.greedy(&mut state, 0, 0, 10)?; // the decoder generates others
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::generate`].
    pub fn greedy(&self, state: &mut AnyState, first: u16, end: u16, most: usize) -> Result<Vec<u16>, Error> {
        with_dtype!(self, model => state.greedy(&model, (first, end), most))
    }

    /// Replays the golden trace of the file: [`Model::self_test`].
    ///
    /// # Errors
    /// As [`Model::self_test`].
    pub fn self_test(&self) -> Result<(), Error> {
        let mut state = self.state()?;
        with_dtype!(self, model => state.self_test(&model))
    }

    /// Saves a state: [`State::save`](crate::State::save).
    ///
    /// # Errors
    /// [`Error::ForeignState`].
    pub fn save(&self, state: &mut AnyState) -> Result<Vec<u8>, Error> {
        with_dtype!(self, model => state.save(&model))
    }

    /// Restores a saved state: [`State::restore`](crate::State::restore).
    ///
    /// # Errors
    /// As [`State::restore`](crate::State::restore).
    pub fn restore(&self, state: &mut AnyState, saved: &[u8]) -> Result<(), Error> {
        with_dtype!(self, model => state.restore(&model, saved))
    }
}
