//! States across a loss of power: saved as bytes, and restored, as FORMAT.md describes them.

use super::Model;
use crate::error::Error;
use crate::format::{crc32, varint};
use crate::number::Number;
use crate::state::State;

/// The version of a saved state.
const VERSION: u8 = 1;
/// Largest number of bytes of a saved state beside its words: version, two varints and the CRC-32.
pub(super) const OVERHEAD: usize = 1 + 2 * varint::MAX_LEN + 4;

impl<N: Number, const F: u32> Model<'_, N, F> {
    /// Returns the largest number of bytes that [`State::save`] writes.
    pub fn saved_len(&self) -> usize {
        OVERHEAD + self.saved_words() * 4
    }

    /// Returns the number of words in a saved state.
    #[inline(never)] // A loop over all layers, for which a program that saves asks twice.
    fn saved_words(&self) -> usize {
        self.saved_ranges([false; 2]).map(|range| range.len()).sum()
    }
}

/// A buffer that is filled from its start.
struct Writer<'b> {
    buf: &'b mut [u8],
    len: usize,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        self.buf.get_mut(self.len..)?.get_mut(..bytes.len())?.copy_from_slice(bytes);
        self.len += bytes.len();
        Some(())
    }

    fn put_varint(&mut self, value: u32) -> Option<()> {
        let (bytes, len) = varint::encode(value);
        self.put(bytes.get(..len)?)
    }
}

impl<N: Number> State<'_, N> {
    /// Writes the state into `buf` and returns the part used, for [`restore`](Self::restore) after a deep
    /// sleep or on another machine. The bytes depend on this point in the sequence alone, not on how the
    /// calls were cut.
    ///
    /// ```
    /// # use embedded_rnn::{F32, Model, Ram, include_model, ram_needed};
    /// # static MODEL: &[u8] = include_model!("../../tests/data/tiny.ernn");
    /// # let model = Model::<F32>::new(MODEL)?;
    /// # let mut ram = Ram::<{ ram_needed(MODEL) }>::new();
    /// # let mut state = model.state(&mut ram)?;
    /// let mut buffer = [0; embedded_rnn::saved_len(MODEL)];
    /// model.step(&mut state, &[0.5, -0.25])?;
    /// let saved = state.save(&model, &mut buffer)?; // then the power goes
    /// state.restore(&model, saved)?;
    /// # Ok::<(), embedded_rnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::BufferTooSmall`], [`Error::ForeignState`].
    pub fn save<'b, const F: u32>(
        &self,
        model: &Model<'_, N, F>,
        buf: &'b mut [u8],
    ) -> Result<&'b [u8], Error> {
        model.check_owner(self)?;
        let too_small = Error::BufferTooSmall { expected: model.saved_len(), found: buf.len() };
        let mut writer = Writer { buf, len: 0 };
        self.write(model, &mut writer).ok_or(too_small)?;
        let Writer { buf, len } = writer;
        buf.get(..len).ok_or(too_small)
    }

    /// Writes the saved state; `None` if the buffer is too small.
    fn write<const F: u32>(&self, model: &Model<'_, N, F>, writer: &mut Writer<'_>) -> Option<()> {
        writer.put(&[VERSION])?;
        writer.put_varint(self.model)?;
        writer.put_varint(model.saved_words() as u32)?;
        for (index, range) in model.saved_ranges(self.phases).enumerate() {
            let words = model.words_of_state(self, index, range);
            debug_assert!(words.is_some(), "states lie in memory");
            writer.put(bytemuck::cast_slice(words.unwrap_or_default()))?;
        }
        let crc = crc32(&[writer.buf.get(..writer.len)?]);
        writer.put(&crc.to_le_bytes())
    }

    /// Restores a saved state; on an error the state is as it was.
    ///
    /// # Errors
    /// [`Error::BadSavedState`] if the bytes are damaged, truncated or of another version,
    /// [`Error::ForeignState`] if they are of another model.
    pub fn restore<const F: u32>(&mut self, model: &Model<'_, N, F>, saved: &[u8]) -> Result<(), Error> {
        model.check_owner(self)?;
        let (payload, crc) = saved.split_last_chunk::<4>().ok_or(Error::BadSavedState)?;
        let (&version, rest) = payload.split_first().ok_or(Error::BadSavedState)?;
        let (owner, rest) = varint::decode(rest).ok_or(Error::BadSavedState)?;
        let (count, words) = varint::decode(rest).ok_or(Error::BadSavedState)?;
        if version != VERSION || crc32(&[payload]) != u32::from_le_bytes(*crc) {
            return Err(Error::BadSavedState);
        }
        if owner != self.model {
            return Err(Error::ForeignState);
        }
        let expected = model.saved_words();
        let (words, rest) = words.as_chunks::<4>();
        if words.len() != expected || !rest.is_empty() || count as usize != expected {
            return Err(Error::BadSavedState);
        }
        self.reset();
        self.at_start = false;
        let mut words = words.iter();
        for range in model.saved_ranges([false; 2]) {
            let slots = self.memory.get_mut(range);
            debug_assert!(slots.is_some(), "states lie in memory");
            for (slot, word) in slots.unwrap_or_default().iter_mut().zip(&mut words) {
                *slot = bytemuck::pod_read_unaligned(word);
            }
        }
        Ok(())
    }
}
