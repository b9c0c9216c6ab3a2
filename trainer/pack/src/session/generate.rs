//! Autoregressive generation: each output becomes the next input.

use anyhow::{Result, bail, ensure};
use embedded_rnn::format::{Activation, MAX_IDS};
use embedded_rnn_nn::data::InputKind;

use super::Session;

impl Session {
    /// Rejects models whose outputs cannot become their next inputs.
    ///
    /// # Errors
    /// The property that the model lacks.
    pub fn check_generates(&self) -> Result<()> {
        let classes = self.output_size();
        if !self.has_decoder() {
            let InputKind::Ids(ids) = self.input_kind() else {
                bail!(
                    "takes {} features per step and no ids: its outputs cannot become its next inputs",
                    self.input_size()
                )
            };
            ensure!(ids == classes, "takes {ids} ids but has {classes} outputs: its outputs are no ids");
            self.check_streams()?;
        }
        let most = MAX_IDS as usize;
        ensure!(classes <= most, "{classes} classes: at most {most} can be generated");
        Ok(())
    }

    /// Rejects models that require whole sequences.
    ///
    /// # Errors
    /// A layer that runs backwards.
    pub fn check_streams(&self) -> Result<()> {
        ensure!(
            !self.needs_whole_sequences(),
            "requires whole sequences, as a layer runs backwards: it cannot run step by step"
        );
        Ok(())
    }

    /// Returns `true` if the outputs are probabilities, of which a class can be drawn.
    pub fn outputs_probabilities(&self) -> bool {
        self.layers().last().is_some_and(|last| last.activation == Activation::Softmax as u8)
    }

    /// Generates as long as `choose` returns a class for the output before. An encoder-decoder processes `given` as its source
    /// first; another model processes `given` as its first ids, of which there is at least one.
    ///
    /// # Errors
    /// A model that [cannot generate](Self::check_generates); frames or classes that it does not take.
    pub fn generate(&self, given: &[f32], choose: impl FnMut(&[f32]) -> Option<u16>) -> Result<()> {
        self.check_generates()?;
        let (before, first) = match given.split_last() {
            Some((&last, before)) if !self.has_decoder() => (before, last as u16),
            _ => (given, 0),
        };
        let mut state = self.state()?;
        if !before.is_empty() {
            self.run(&mut state, before)?;
        }
        Ok(self.model.generate(&mut state, first, choose)?)
    }
}
