//! The class `State`.

use embedded_rnn::AnyState;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::error::Result;
use crate::model::Model;

/// The state of one sequence, made by `model.state()`. Many states can share one model, and several threads
/// may step separate states at once.
#[pyclass(module = "embedded_rnn")]
pub struct State {
    /// The model that the state belongs to.
    #[pyo3(get)]
    model: Py<Model>,
    pub(crate) inner: AnyState,
}

/// A function and its arguments, which pickle calls: the model and the saved state.
type Reduced<'py> = (Bound<'py, PyAny>, (Py<Model>, Bound<'py, PyBytes>));

impl State {
    /// Makes a state at the start of a sequence.
    pub fn new(model: Bound<'_, Model>) -> Result<Self> {
        let inner = model.get().session.state()?;
        Ok(Self { model: model.unbind(), inner })
    }
}

#[pymethods]
impl State {
    /// Starts a new sequence.
    fn reset(&mut self) {
        self.inner.reset();
    }

    /// Returns an independent copy.
    fn copy(&self, py: Python<'_>) -> Self {
        Self { model: self.model.clone_ref(py), inner: self.inner.clone() }
    }

    fn __copy__(&self, py: Python<'_>) -> Self {
        self.copy(py)
    }

    fn __deepcopy__(&self, py: Python<'_>, _memo: &Bound<'_, PyDict>) -> Self {
        self.copy(py)
    }

    /// Returns the state as bytes, which `restore` reads here, in another process, or on a board.
    fn save<'py>(&mut self, py: Python<'py>) -> Result<Bound<'py, PyBytes>> {
        let saved = self.model.get().session.save(&mut self.inner)?;
        Ok(PyBytes::new(py, &saved))
    }

    /// Continues from the bytes of `save`. On an error the state is as it was.
    fn restore(&mut self, saved: &[u8]) -> Result<()> {
        Ok(self.model.get().session.restore(&mut self.inner, saved)?)
    }

    /// Pickles the state with its model.
    fn __reduce__<'py>(&mut self, py: Python<'py>) -> Result<Reduced<'py>> {
        let restored = py.get_type::<Model>().getattr("restored")?;
        Ok((restored, (self.model.clone_ref(py), self.save(py)?)))
    }

    fn __repr__(&self) -> String {
        let preamble = self.model.get().session.preamble();
        format!("<embedded_rnn.State of {} bytes of RAM>", preamble.ram_needed)
    }
}
