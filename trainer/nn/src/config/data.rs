//! Checks of data against the config: its inputs and its targets must fit the network.

use anyhow::{Context, Result, bail, ensure};

use super::Config;
use super::layers::outputs;
use crate::data::{Dataset, InputKind, Sequences, Targets};
use crate::layers::LayerConfig;
use crate::loss::Loss;

impl Config {
    /// Prepares the data for the network: checks them, removes the masked frames, and takes one-hot rows as
    /// labels of a categorical cross-entropy.
    pub fn admit(&self, data: Dataset) -> Result<Dataset> {
        let is_one_of = self.training.loss == Loss::CategoricalCrossentropy;
        let data = if is_one_of { data.with_labels() } else { data };
        self.check_data(&data)?;
        match self.first_layer().and_then(|layer| layer.get().mask_value()) {
            Some(mask_value) => data.without_masked(mask_value),
            None => Ok(data),
        }
    }

    /// Returns the layer that receives the data.
    fn first_layer(&self) -> Option<&LayerConfig> {
        self.encoder.first().or(self.layers.first())
    }

    /// Rejects targets that the network cannot be trained on; the error names the array.
    pub fn check_data(&self, data: &Dataset) -> Result<()> {
        self.check_ids(data)?;
        let y = &data.targets_name;
        let outputs = outputs(&self.layers).unwrap_or(data.sequences.features);
        match (&data.targets, self.training.loss) {
            (Targets::Sequences(_), _) if self.encoder.is_empty() => {
                bail!("{y}: sequences with their own lengths; to generate them the config needs [[encoder]]")
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
            (Targets::Labels(labels), Loss::BinaryCrossentropy) => {
                ensure!(outputs == 1, "{y}: single classes, but the network has {outputs} outputs");
                if let Some(s) = labels.iter().position(|&label| label > 1) {
                    bail!(
                        "{y}: label {} at [{s}], but binary_crossentropy has the classes 0 and 1",
                        labels[s]
                    );
                }
            }
            (Targets::Values { width, values }, loss) if loss != Loss::CategoricalCrossentropy => {
                ensure!(*width == outputs, "{y}: {width} values, but the network has {outputs} outputs");
                let outside = values.iter().position(|value| !(0.0..=1.0).contains(value));
                if let (Some(k), true) = (outside, loss.is_crossentropy()) {
                    bail!("{y}: {} at [{}] is no probability, from 0 to 1", values[k], k / width);
                }
            }
            (Targets::Labels(_), loss) => bail!("{y}: integers are classes; {} needs floats", loss.name()),
            (Targets::Values { .. }, loss) => {
                bail!("{y}: floats are values; {} needs integer classes", loss.name())
            }
        }
        let every = self.layers.iter().all(|layer| layer.get().keeps_time());
        let [found, expected] = [data.per_frame, every].map(|every| if every { "frame" } else { "sequence" });
        ensure!(
            found == expected,
            "{y}: has a target for every {found}, but the network has an output for every {expected}"
        );
        Ok(())
    }

    /// Rejects frames that are not ids of the first layer, if it expects ids.
    fn check_ids(&self, data: &Dataset) -> Result<()> {
        let Some(embedding) = self.first_layer().and_then(|layer| layer.get().ids()) else { return Ok(()) };
        data.sequences.check(InputKind::Ids(embedding.input_dim)).with_context(|| data.frames_name.clone())
    }
}

/// Rejects target classes that a decoder with `outputs` outputs cannot generate.
fn check_classes(y: &str, ids: &Sequences, outputs: usize) -> Result<()> {
    if let Some((s, t, id)) = ids.find(|id| id >= outputs as f32) {
        bail!("{y}: class {id} at step {t} of sequence {s}, but the decoder has {outputs} outputs");
    }
    Ok(())
}
