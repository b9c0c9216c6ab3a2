//! Calls in the numbers of the file, without conversion from and to real values.

use super::{AnyModel, AnyState};
use crate::error::Error;
use crate::model::Model;
use crate::number::Number;

impl AnyModel {
    /// Runs one time step as [`step`](Self::step) does, over the inputs of the dtype `N`: integers of an i8
    /// model.
    ///
    /// ```
    /// use embedded_rnn::{AnyModel, I8};
    ///
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny.i8.ernn");
    /// let model = AnyModel::read(path)?;
    /// let y: Vec<i32> = model.step_as::<I8>(&mut model.state()?, &[100, -50])?;
    /// assert_eq!(y.len(), model.output_size());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::step`]; [`Error::WrongDType`] if the model has another dtype.
    pub fn step_as<N: Number>(&self, state: &mut AnyState, x: &[N::In]) -> Result<Vec<N::Out>, Error> {
        state.step_as(&self.expect::<N>()?, x)
    }

    /// Runs many time steps as [`run`](Self::run) does, over the inputs of the dtype `N`.
    ///
    /// # Errors
    /// As [`run`](Self::run); [`Error::WrongDType`] if the model has another dtype.
    pub fn run_as<N: Number>(&self, state: &mut AnyState, xs: &[N::In]) -> Result<Vec<N::Out>, Error> {
        state.run_as(&self.expect::<N>()?, xs)
    }

    fn expect<N: Number>(&self) -> Result<Model<'_, N>, Error> {
        self.as_model().ok_or(Error::WrongDType { expected: N::DTYPE, found: self.dtype as u8 })
    }
}
