//! Whether data can go into the network and come out of it.

use anyhow::{Context, Result, bail, ensure};

use super::Config;
use super::layers::outputs;
use crate::data::{Dataset, InputKind, Sequences, Targets};
use crate::layers::LayerConfig;
use crate::loss::Loss;

impl Config {
    /// Data as the network is to see it: checked, and without masked frames.
    pub fn admit(&self, data: Dataset) -> Result<Dataset> {
        self.check_data(&data)?;
        match self.first_layer().and_then(|layer| layer.get().mask_value()) {
            Some(mask_value) => data.without_masked(mask_value),
            None => Ok(data),
        }
    }

    /// The one that the data goes into.
    fn first_layer(&self) -> Option<&LayerConfig> {
        self.encoder.first().or(self.layers.first())
    }

    /// Whether data of this kind can come out of the network; names the array that does not fit.
    pub fn check_data(&self, data: &Dataset) -> Result<()> {
        self.check_ids(data)?;
        let y = &data.targets_name;
        let outputs = outputs(&self.layers).unwrap_or(data.sequences.features);
        match (&data.targets, self.training.loss) {
            (Targets::Sequences(_), _) if self.encoder.is_empty() => {
                bail!("{y}: sequences with lengths of their own; to write them the config needs [[encoder]]")
            }
            (Targets::Sequences(ids), _) => return check_classes(y, ids, outputs),
            _ if !self.encoder.is_empty() => {
                bail!("{y}: a decoder needs sequences as targets, with their lengths in len_{y}")
            }
            (Targets::Labels(labels), Loss::CategoricalCrossentropy) => {
                if let Some(s) = labels.iter().position(|&label| label as usize >= outputs) {
                    bail!("{y}: label {} at [{s}], but the network has {outputs} outputs", labels[s]);
                }
            }
            (Targets::Values { width, .. }, Loss::Mse) => {
                ensure!(*width == outputs, "{y}: {width} values, but the network has {outputs} outputs");
            }
            (Targets::Labels(_), Loss::Mse) => bail!("{y}: integers are classes; mse needs floats"),
            (Targets::Values { .. }, Loss::CategoricalCrossentropy) => {
                bail!("{y}: floats are values; categorical_crossentropy needs integer classes")
            }
        }
        let every = self.layers.iter().all(|layer| layer.get().keeps_time());
        let [given, wanted] = [data.per_frame, every].map(|every| if every { "frame" } else { "sequence" });
        ensure!(
            given == wanted,
            "{y}: has a target for every {given}, but the network gives an output for every {wanted}"
        );
        Ok(())
    }

    /// Whether frames are ids that the first layer has vectors for, if it takes ids.
    fn check_ids(&self, data: &Dataset) -> Result<()> {
        let Some(embedding) = self.first_layer().and_then(|layer| layer.get().ids()) else { return Ok(()) };
        data.sequences.check(InputKind::Ids(embedding.input_dim)).with_context(|| data.frames_name.clone())
    }
}

/// Whether a decoder with so many outputs can write these.
fn check_classes(y: &str, ids: &Sequences, outputs: usize) -> Result<()> {
    if let Some((s, t, id)) = ids.find(|id| id >= outputs as f32) {
        bail!("{y}: class {id} at step {t} of sequence {s}, but the decoder has {outputs} outputs");
    }
    Ok(())
}
