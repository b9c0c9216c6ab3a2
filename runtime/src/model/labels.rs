//! The bytes of a model, and the names of its classes.

use super::Model;
use crate::number::Number;

impl<'m, N: Number, const F: u32> Model<'m, N, F> {
    /// Returns the bytes of the file, without those that lie behind it.
    pub fn bytes(&self) -> &'m [u8] {
        self.bytes
    }

    /// Returns the name of class `k`, if the file has one.
    ///
    /// ```
    /// use embedded_rnn::{I8, Model, include_model};
    ///
    /// let model = Model::<I8>::new(include_model!("../../tests/data/letters.i8.ernn"))?;
    /// assert_eq!(model.label(1), Some("a"));
    /// assert_eq!(model.label(5), None);
    /// # Ok::<(), embedded_rnn::Error>(())
    /// ```
    pub fn label(&self, k: usize) -> Option<&'m str> {
        self.header()?.labels().nth(k)
    }
}
