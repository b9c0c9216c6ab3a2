//! What a model remembers from step to step.

use crate::error::Error;
use crate::format::crc32;
use crate::model::Model;
use crate::number::Number;
use core::marker::PhantomData;
use serde::{Deserialize, Serialize};

/// The state of a sequence: the cells' h and c, in memory of the caller's. Many states can share one model.
#[derive(Debug)]
pub struct State<'r, N: Number> {
    pub(crate) memory: &'r mut [N::Word],
    /// CRC-32 of the model it belongs to.
    pub(crate) model: u32,
    /// Which of its two buffers each recurrent layer reads next: those that read the inputs, and those of a decoder.
    pub(crate) phases: [bool; 2],
    pub(crate) number: PhantomData<N>,
}

/// What stands before the words of a saved state, in postcard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Saved {
    version: u8,
    model: u32,
    words: u32,
}

const SAVED_VERSION: u8 = 1;
/// Most bytes of a saved state beside its words: the postcard part (1 + 5 + 5) and the CRC-32.
pub(crate) const SAVED_OVERHEAD: usize = 15;

impl<N: Number> State<'_, N> {
    /// Back to the start of a sequence: all zero.
    pub fn reset(&mut self) {
        self.memory.fill(bytemuck::Zeroable::zeroed());
        self.phases = [false; 2];
    }

    /// Writes the state into `buf` and gives the part used: what [`restore`](Self::restore) takes, after a deep sleep
    /// or on another machine. The state is that of this point in the sequence, whatever was computed on the way.
    ///
    /// # Errors
    /// [`Error::BufferTooSmall`], [`Error::ForeignState`].
    pub fn save<'b, const F: u32>(
        &self,
        model: &Model<'_, N, F>,
        buf: &'b mut [u8],
    ) -> Result<&'b [u8], Error> {
        model.check_owner(self)?;
        let found = buf.len();
        let words = model.saved_ranges(self.phases).map(|range| range.len()).sum::<usize>();
        let saved = Saved { version: SAVED_VERSION, model: self.model, words: words as u32 };
        let too_small = Error::BufferTooSmall { expected: model.saved_len(), found };
        let mut at = postcard::to_slice(&saved, buf).map_err(|_| too_small)?.len();
        for range in model.saved_ranges(self.phases) {
            for word in self.memory.get(range).unwrap_or_default() {
                buf.get_mut(at..at + 4).ok_or(too_small)?.copy_from_slice(bytemuck::bytes_of(word));
                at += 4;
            }
        }
        let crc = crc32(&[buf.get(..at).ok_or(too_small)?]);
        buf.get_mut(at..at + 4).ok_or(too_small)?.copy_from_slice(&crc.to_le_bytes());
        buf.get(..at + 4).ok_or(too_small)
    }

    /// Takes up a saved state; on an error the state is as it was.
    ///
    /// # Errors
    /// [`Error::BadSavedState`] if the bytes are damaged, cut short or of another version, [`Error::ForeignState`] if
    /// they are of another model.
    pub fn restore<const F: u32>(&mut self, model: &Model<'_, N, F>, saved: &[u8]) -> Result<(), Error> {
        model.check_owner(self)?;
        let (payload, crc) = saved.split_last_chunk::<4>().ok_or(Error::BadSavedState)?;
        let (header, words) =
            postcard::take_from_bytes::<Saved>(payload).map_err(|_| Error::BadSavedState)?;
        if header.version != SAVED_VERSION || crc32(&[payload]) != u32::from_le_bytes(*crc) {
            return Err(Error::BadSavedState);
        }
        if header.model != self.model {
            return Err(Error::ForeignState);
        }
        let expected = model.saved_ranges([false; 2]).map(|range| range.len()).sum::<usize>();
        let (words, rest) = words.as_chunks::<4>();
        if words.len() != expected || !rest.is_empty() || header.words as usize != expected {
            return Err(Error::BadSavedState);
        }
        self.reset();
        let mut words = words.iter();
        for range in model.saved_ranges([false; 2]) {
            for (slot, word) in self.memory.get_mut(range).unwrap_or_default().iter_mut().zip(&mut words) {
                *slot = bytemuck::pod_read_unaligned(word);
            }
        }
        Ok(())
    }
}
