//! Models whose answers are their next inputs.

use anyhow::{Result, bail, ensure};
use embedded_rnn::format::Activation;

use super::{Session, either, running};
use crate::data::InputKind;

/// The most classes of which one can be fed back: a class is an id of 16 bits then.
const MOST_CLASSES: usize = 1 << 16;

impl Session<'_> {
    /// Refuses models whose answers cannot be their next inputs.
    pub fn check_feedback(&self) -> Result<()> {
        let classes = self.output_size();
        if !self.has_decoder() {
            let InputKind::Ids(ids) = self.input_kind() else {
                bail!(
                    "takes {} features a step and no ids: it cannot go on from its answers",
                    self.input_size()
                )
            };
            ensure!(ids == classes, "takes {ids} ids but gives {classes} values: its answers are no ids");
            self.check_steps()?;
        }
        ensure!(classes <= MOST_CLASSES, "{classes} classes: at most {MOST_CLASSES} can be fed back");
        Ok(())
    }

    /// Refuses models that take whole sequences only.
    pub fn check_steps(&self) -> Result<()> {
        ensure!(!self.needs_whole_sequences(), "reads whole sequences, from their ends: not step by step");
        Ok(())
    }

    /// Whether its answers are probabilities, of which one can be drawn.
    pub fn gives_probabilities(&self) -> bool {
        self.layers().last().is_some_and(|last| last.activation == Activation::Softmax as u8)
    }

    /// Feeds answers back, as long as `choose` makes a class of them. An encoder-decoder has read `given` as its source
    /// before; another model `given` as its first ids, of which there is at least one.
    ///
    /// # Errors
    /// A model that [cannot do that](Self::check_feedback); frames or classes that it does not take.
    pub fn generate(&self, given: &[f32], choose: impl FnMut(&[f32]) -> Option<u16>) -> Result<()> {
        self.check_feedback()?;
        either!(self, model => running::generate(model, given, choose)?);
        Ok(())
    }
}
