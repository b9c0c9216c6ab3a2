//! Models and states whose bytes an owner keeps: what remains of them between two calls.

use super::Model;
use super::sizes::Sizes;
use crate::error::Error;
use crate::format::{PREAMBLE_LEN, Preamble, RECORD_LEN};
use crate::isa::Backend;
use crate::number::Number;
use crate::state::State;
use core::marker::PhantomData;

/// Results of the validation of a file, by which it is opened again without another.
#[derive(Debug, Clone, Copy)]
pub struct Checked {
    sizes: Sizes,
    body: usize,
    backend: Backend,
}

impl Checked {
    /// Returns the same results for another backend.
    pub(crate) fn with_backend(self, backend: Backend) -> Self {
        Checked { backend, ..self }
    }
}

impl<'m, N: Number, const F: u32> Model<'m, N, F> {
    /// Returns what [`reopen`](Self::reopen) requires.
    pub(crate) fn checked(&self) -> Checked {
        Checked { sizes: self.sizes, body: self.body, backend: self.backend }
    }

    /// Opens a file again that has not changed since; `None` if it has.
    pub(crate) fn reopen(bytes: &'m [u8], checked: Checked) -> Option<Self> {
        let preamble: &Preamble = bytemuck::try_from_bytes(bytes.get(..PREAMBLE_LEN)?).ok()?;
        let Preamble { layer_count, weights_at, weights_len, .. } = *preamble;
        let section = |at: usize, len: usize| bytes.get(at..at.checked_add(len)?);
        let layers = section(PREAMBLE_LEN, layer_count as usize * RECORD_LEN)?;
        let weights = section(weights_at as usize, weights_len as usize)?;
        let Checked { sizes, body, backend } = checked;
        Some(Model {
            bytes,
            preamble,
            layers: bytemuck::try_cast_slice(layers).ok()?,
            weights: bytemuck::try_cast_slice(weights).ok()?,
            sizes,
            body,
            backend,
            number: PhantomData,
        })
    }
}

/// What a state has beside its memory.
#[derive(Debug, Clone, Copy)]
pub struct Phases {
    model: u32,
    phases: [bool; 2],
    at_start: bool,
}

impl Phases {
    /// Returns those of the start of a sequence.
    pub(crate) fn reset(self) -> Self {
        Phases { phases: [false; 2], at_start: true, ..self }
    }
}

impl<'r, N: Number> State<'r, N> {
    /// Returns what [`reopen`](Self::reopen) requires.
    pub(crate) fn phases(&self) -> Phases {
        Phases { model: self.model, phases: self.phases, at_start: self.at_start }
    }

    /// Opens memory again that a state has left.
    pub(crate) fn reopen(memory: &'r mut [u8], phases: Phases) -> Result<Self, Error> {
        let memory = bytemuck::try_cast_slice_mut(memory).map_err(|_| Error::Misaligned)?;
        let Phases { model, phases, at_start } = phases;
        Ok(State { memory, model, phases, at_start, number: PhantomData })
    }
}
