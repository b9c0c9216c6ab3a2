//! The state of a sequence.

use crate::number::Number;
use core::marker::PhantomData;

/// The state of a sequence: the cells' h and c, in memory of the caller. Many states can share one model.
#[derive(Debug)]
pub struct State<'r, N: Number> {
    pub(crate) memory: &'r mut [N::Word],
    /// CRC-32 of the model it belongs to.
    pub(crate) model: u32,
    /// The buffer that the recurrent layers read next: those of the first chain, and those of a decoder.
    pub(crate) phases: [bool; 2],
    /// `true` from a reset to the first step: the memory is all zero, and does not hold the initial states of
    /// the model yet.
    pub(crate) at_start: bool,
    pub(crate) number: PhantomData<N>,
}

impl<N: Number> State<'_, N> {
    /// Returns to the start of a sequence: zeros, or the initial states of the model.
    pub fn reset(&mut self) {
        self.memory.fill(bytemuck::Zeroable::zeroed());
        self.phases = [false; 2];
        self.at_start = true;
    }
}
