//! Autoregressive generation: the class chosen at each time step is the next input.

use anyhow::{Result, bail, ensure};
use embedded_rnn::format::{Activation, MAX_IDS};
use embedded_rnn_nn::data::InputKind;

use super::Session;

impl Session {
    /// Rejects models whose outputs cannot become their next inputs.
    ///
    /// # Errors
    /// The reason.
    pub fn check_generates(&self) -> Result<()> {
        let classes = self.output_size();
        if !self.has_decoder() {
            let InputKind::Ids(ids) = self.input_kind() else {
                bail!(
                    "the inputs are {} features per time step, not ids: the outputs cannot become the next \
                     inputs",
                    self.input_size()
                )
            };
            ensure!(
                ids == classes,
                "{ids} input ids, but {classes} outputs: the outputs cannot become the next inputs"
            );
            self.check_streams()?;
        }
        let limit = MAX_IDS as usize;
        ensure!(classes <= limit, "{classes} classes: at most {limit} can be generated");
        Ok(())
    }

    /// Rejects models that require whole sequences, because a layer runs backwards.
    ///
    /// # Errors
    /// The reason.
    pub fn check_streams(&self) -> Result<()> {
        ensure!(
            !self.needs_whole_sequences(),
            "the model requires whole sequences, as a layer runs backwards: it cannot run step by step"
        );
        Ok(())
    }

    /// Returns `true` if the outputs are probabilities, from which a class can be sampled.
    pub fn outputs_probabilities(&self) -> bool {
        self.layers().last().is_some_and(|last| last.activation == Activation::Softmax as u8)
    }

    /// Returns `true` if each output stands for a class: the outputs are probabilities, a single one is a
    /// sigmoid, or all have labels.
    pub fn outputs_classes(&self) -> bool {
        use Activation::{HardSigmoid, HardSigmoidKeras1, Sigmoid, SigmoidWide};
        let single = [Sigmoid, SigmoidWide, HardSigmoid, HardSigmoidKeras1];
        let is_single = |code| single.iter().any(|&activation| activation as u8 == code);
        let last = self.layers().last().map(|last| last.activation);
        self.outputs_probabilities()
            || (self.output_size() == 1 && last.is_some_and(is_single))
            || (self.output_size() > 1 && !self.labels().is_empty())
    }

    /// Generates classes until `choose` returns `None`: it gets the output of each time step and returns the
    /// next input. An encoder-decoder first processes `start` as its source. Any other model first processes
    /// `start`, at least one id, as the beginning of the sequence.
    ///
    /// # Errors
    /// A model that [cannot generate](Self::check_generates); a frame or a class that is no input of the
    /// model.
    pub fn generate(&self, start: &[f32], choose: impl FnMut(&[f32]) -> Option<u16>) -> Result<()> {
        self.check_generates()?;
        let (before, first) = match start.split_last() {
            Some((&last, before)) if !self.has_decoder() => (before, last as u16),
            _ => (start, 0),
        };
        let mut state = self.state()?;
        if !before.is_empty() {
            self.run(&mut state, before)?;
        }
        Ok(self.model.generate(&mut state, first, choose)?)
    }
}
