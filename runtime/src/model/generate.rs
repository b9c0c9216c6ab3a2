//! Autoregressive generation: one-to-many, and the decoder's half of many-to-many.

use super::Model;
use crate::argmax::argmax;
use crate::error::Error;
use crate::layers::Kind;
use crate::number::Number;
use crate::state::State;

impl<N: Number, const F: u32> Model<'_, N, F> {
    /// Feeds the model `first`, then every id that `choose` returns for the output before, until it returns
    /// `None`.
    ///
    /// A model with a [decoder](Self::has_decoder) starts from the encoder's state after [`run`](Self::run);
    /// another one continues from its state, and its inputs are ids. `choose` may sample, search or keep a
    /// list; [`greedy`](Self::greedy) takes the likeliest id.
    ///
    /// ```
    /// # use embedded_rnn::{I8, Model, Ram, include_model, ram_needed};
    /// # static MODEL: &[u8] = include_model!("../../tests/data/letters.i8.ernn");
    /// # let model = Model::<I8>::new(MODEL)?;
    /// # let mut ram = Ram::<{ ram_needed(MODEL) }>::new();
    /// # let mut state = model.state(&mut ram)?;
    /// let mut word = String::new();
    /// model.generate(&mut state, 1, |output| {
    ///     let id = embedded_rnn::argmax(output);
    ///     word += model.label(id)?;
    ///     (word.len() < 8).then_some(id as u16)
    /// })?;
    /// assert_eq!(word.len(), 8);
    /// # Ok::<(), embedded_rnn::Error>(())
    /// ```
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

    /// [Generates](Self::generate) the likeliest ids, of equally likely ones the lowest: returns those before
    /// the first `end`, as many as `out` has room for.
    ///
    /// ```
    /// # use embedded_rnn::{I8, Model, Ram, include_model, ram_needed};
    /// # static MODEL: &[u8] = include_model!("../../tests/data/decoder.i8.ernn");
    /// # let model = Model::<I8>::new(MODEL)?;
    /// # let mut ram = Ram::<{ ram_needed(MODEL) }>::new();
    /// # let mut state = model.state(&mut ram)?;
    /// model.run(&mut state, &[3, 1, 4], &mut [])?; // the encoder
    /// let mut ids = [0; 10];
    /// let ids: &[u16] = model.greedy(&mut state, 0, 0, &mut ids)?; // the decoder
    /// # Ok::<(), embedded_rnn::Error>(())
    /// ```
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
        self.generate(state, first, |output| {
            let id = argmax(output) as u16;
            let next = out.get_mut(made).filter(|_| id != end)?;
            *next = id;
            made += 1;
            (made < out.len()).then_some(id)
        })?;
        Ok(out.get(..made).unwrap_or_default())
    }

    /// Runs one step on `id`, of the decoder or of a model whose inputs are ids, and returns its output.
    ///
    /// ```
    /// # use embedded_rnn::{I8, Model, Ram, include_model, ram_needed};
    /// # static MODEL: &[u8] = include_model!("../../tests/data/letters.i8.ernn");
    /// # let model = Model::<I8>::new(MODEL)?;
    /// # let mut ram = Ram::<{ ram_needed(MODEL) }>::new();
    /// # let mut state = model.state(&mut ram)?;
    /// let y = model.decoder_step(&mut state, 1)?; // the output after the letter "a"
    /// assert_eq!(y.len(), 5);
    /// # Ok::<(), embedded_rnn::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    pub fn decoder_step<'s>(&self, state: &'s mut State<'_, N>, id: u16) -> Result<&'s [N::Out], Error> {
        self.check_owner(state)?;
        let decoder_at = if self.has_decoder() { self.preamble.decoder_at as usize } else { 0 };
        let embeds = |record: &&crate::format::LayerRecord| record.kind == Kind::Embedding as u8;
        let embedding = self.layers.get(decoder_at).filter(embeds).ok_or(Error::NoFeedback)?;
        if self.needs_whole_sequences() && !self.has_decoder() {
            return Err(Error::WholeSequence);
        }
        if u32::from(id) >= embedding.input_dim {
            return Err(Error::Id { index: 0, input_dim: embedding.input_dim });
        }
        self.forward_id(state, N::of_id(id));
        Ok(self.output(state.memory))
    }
}
