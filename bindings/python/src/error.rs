//! Errors as Python exceptions with one line of text.

use std::io;

use embedded_rnn_nn::output::one_line;
use pyo3::PyErr;
use pyo3::exceptions::{PyOSError, PyValueError};

pyo3::create_exception!(
    embedded_rnn,
    Error,
    PyValueError,
    "A model, an array or an option that is rejected: one line that names the place and the reason."
);

/// An error on its way to Python.
#[derive(Debug)]
pub struct Failure(anyhow::Error);

/// The result of a function that Python calls.
pub type Result<T> = std::result::Result<T, Failure>;

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// Raises exceptions of Python code as they are, and failures of the operating system as `OSError`.
impl From<Failure> for PyErr {
    fn from(Failure(error): Failure) -> Self {
        let line = one_line(&error);
        let code = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>()?.raw_os_error());
        match (error.downcast::<PyErr>(), code) {
            (Ok(raised), _) => raised,
            (Err(_), Some(code)) => PyOSError::new_err((code, line)),
            (Err(_), None) => Error::new_err(line),
        }
    }
}
