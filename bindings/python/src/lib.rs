//! The native part of the Python package `embedded_rnn`: a thin layer over the runtime and the trainer.
//!
//! NumPy arrays of f32 in C order are read in place; results are moved into arrays. Everything that computes
//! releases the GIL. Python files beside this crate add what is easier to express there.

mod array;
mod error;
mod import;
mod model;
mod quantize;
mod state;
mod train;

/// The module `embedded_rnn._native`.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use super::error::Error;
    #[pymodule_export]
    use super::import::import_file;
    #[pymodule_export]
    use super::model::Model;
    #[pymodule_export]
    use super::quantize::quantize;
    #[pymodule_export]
    use super::state::State;
    #[pymodule_export]
    use super::train::fit;
}
