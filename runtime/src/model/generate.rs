//! Answers fed back: one-to-many, and the decoder's half of many-to-many.

use super::Model;
use crate::argmax::argmax;
use crate::error::Error;
use crate::layers::Kind;
use crate::number::Number;
use crate::state::State;

impl<N: Number, const F: u32> Model<'_, N, F> {
    /// Gives the model `first`, then every id that `choose` makes of the answer to the one before, until it makes none.
    ///
    /// A model with a [decoder](Self::has_decoder) starts from what [`run`](Self::run) has read; another one goes on from its
    /// state, and takes ids as its input. `choose` may sample, search or keep a list; [`greedy`](Self::greedy) takes the
    /// likeliest.
    ///
    /// # Errors
    /// [`Error::NoFeedback`], [`Error::Id`], [`Error::WholeSequence`], [`Error::ForeignState`].
    pub fn generate(
        &self,
        state: &mut State<'_, N>,
        first: u16,
        mut choose: impl FnMut(&[N::Out]) -> Option<u16>,
    ) -> Result<(), Error> {
        let mut next = Some(first);
        while let Some(id) = next {
            next = choose(self.decoder_step(state, id)?);
        }
        Ok(())
    }

    /// [`generate`](Self::generate) of the likeliest ids, the lowest of equals: gives those before the first `end`, as many as
    /// `out` has room for.
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    pub fn greedy<'o>(
        &self,
        state: &mut State<'_, N>,
        first: u16,
        end: u16,
        out: &'o mut [u16],
    ) -> Result<&'o [u16], Error> {
        let mut made = 0;
        self.generate(state, first, |answer| {
            let id = argmax(answer) as u16;
            let place = out.get_mut(made).filter(|_| id != end)?;
            *place = id;
            made += 1;
            (made < out.len()).then_some(id)
        })?;
        Ok(out.get(..made).unwrap_or_default())
    }

    /// The answer to `id`: one step of the decoder, or of a model that takes ids.
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    pub fn decoder_step<'s>(&self, state: &'s mut State<'_, N>, id: u16) -> Result<&'s [N::Out], Error> {
        self.check_owner(state)?;
        let decoder_at = if self.has_decoder() { self.preamble.decoder_at as usize } else { 0 };
        let takes_ids = |record: &&crate::format::LayerRecord| record.kind == Kind::Embedding as u8;
        let embedding = self.layers.get(decoder_at).filter(takes_ids).ok_or(Error::NoFeedback)?;
        if self.needs_whole_sequences() && !self.has_decoder() {
            return Err(Error::WholeSequence);
        }
        if u32::from(id) >= embedding.input_dim {
            return Err(Error::Id { index: 0, input_dim: embedding.input_dim });
        }
        self.feed_back(state, N::of_id(id));
        Ok(self.answer(state.memory))
    }
}
