//! Recurrent layers, in one direction and in both.

use anyhow::{Context, Result, bail, ensure};

use super::activation;
use super::graph::Entry;
use super::layers::Builder;
use super::naming::Part;
use super::options::Options;
use super::weights::LayerWeights;
use super::{Version, options::refusal};
use crate::cells::AnyCell;
use crate::import::cells::{CellKind, CellWeights, Framework, cell};
use crate::layers::{Bidirectional, MergeMode, Recurrent};
use crate::pack::form::Activations;
use crate::tensor::Matrix;

/// What a config says of a recurrent layer.
struct Config {
    kind: CellKind,
    units: usize,
    activations: Activations,
    use_bias: bool,
    return_sequences: bool,
    return_state: bool,
    go_backwards: bool,
    zero_output_for_mask: bool,
    unroll: bool,
}

impl Config {
    fn read(version: Version, class: &str, mut options: Options) -> Result<Self> {
        let options = &mut options;
        options.common()?;
        options.off("stateful", "a state that outlives its sequence is not read")?;
        options.off("time_major", "only batches of sequences are read")?;
        // How Keras goes about it, and where it starts to learn from.
        options.ignore(&["implementation", "use_cudnn", "unit_forget_bias"]);
        let kind = match class {
            "SimpleRNN" => CellKind::SimpleRnn,
            "LSTM" => CellKind::Lstm,
            // A file without it is older than the option.
            "GRU" => CellKind::Gru { reset_after: options.flag("reset_after", false)? },
            _ => bail!("class_name {class}: not a recurrent layer that is read"),
        };
        let value = activation::read(version, "activation", options)?;
        let gates = match kind {
            CellKind::SimpleRnn => value,
            _ => activation::read(version, "recurrent_activation", options)?,
        };
        let config = Self {
            kind,
            units: options.size("units")?,
            activations: Activations { value, recurrent: gates },
            use_bias: options.flag("use_bias", true)?,
            return_sequences: options.flag("return_sequences", false)?,
            return_state: options.flag("return_state", false)?,
            go_backwards: options.flag("go_backwards", false)?,
            zero_output_for_mask: options.flag("zero_output_for_mask", false)?,
            unroll: options.flag("unroll", false)?,
        };
        options.clone().finish()?;
        Ok(config)
    }

    /// The cell of these weights.
    fn cell(&self, features: usize, weights: &mut LayerWeights<'_>, part: Part) -> Result<AnyCell<f32>> {
        let rows = self.kind.gates() * self.units;
        let two_biases = self.kind == CellKind::Gru { reset_after: true };
        let mut wanted = vec![("kernel", vec![features, rows]), ("recurrent_kernel", vec![self.units, rows])];
        let bias = if two_biases { vec![2, rows] } else { vec![rows] };
        wanted.extend(self.use_bias.then_some(("bias", bias)));
        let found = weights.part_of(part, &wanted)?;
        // A row, or two: first that of the input.
        let biases = found.get(2).map(|bias| bias.values().chunks_exact(rows));
        let mut biases = biases.into_iter().flatten().map(|row| Matrix::from_column_slice(rows, 1, row));
        let weights = CellWeights {
            w_ih: found[0].matrix()?.transpose(),
            w_hh: found[1].matrix()?.transpose(),
            bias: biases.next(),
            recurrent_bias: biases.next(),
        };
        cell(self.kind, Framework::Keras, weights, self.activations)
    }

    /// Refuses what the runtime does otherwise at this place.
    fn check(&self, builder: &Builder, class: &str, states_unused: bool) -> Result<()> {
        ensure!(builder.time, "class_name {class}: no time axis is left");
        ensure!(states_unused || !self.return_state, "return_state true: states as outputs are not read");
        if builder.mask.is_some() {
            ensure!(
                !self.return_sequences || !self.go_backwards,
                "go_backwards true: with return_sequences not read behind a mask, which Keras does not turn round"
            );
        }
        Ok(())
    }

    /// Refuses what the runtime does otherwise behind a mask, of one direction: it gives the answer before once more.
    fn check_alone(&self, builder: &Builder) -> Result<()> {
        ensure!(
            builder.mask.is_none() || !self.zero_output_for_mask,
            "zero_output_for_mask true: not read behind a mask"
        );
        Ok(())
    }

    /// The same of two directions: it gives zeros. So does Keras, but in the wrong places if it unrolls the backward one
    /// (`backend.rnn` applies the mask to outputs that are turned round).
    fn check_both(&self, builder: &Builder) -> Result<()> {
        ensure!(
            builder.mask.is_none() || !self.unroll || !self.return_sequences,
            "unroll true: with return_sequences not read behind a mask, which Keras applies the wrong way round"
        );
        Ok(())
    }
}

impl Builder {
    /// An `LSTM`, a `GRU` or a `SimpleRNN`.
    pub fn recurrent(&mut self, entry: &Entry, weights: &mut LayerWeights<'_>) -> Result<Recurrent<f32>> {
        let config = Config::read(self.version, &entry.class, entry.options.clone())?;
        config.check(self, &entry.class, entry.states_unused)?;
        config.check_alone(self)?;
        let cell = config.cell(self.features, weights, Part::Cell)?;
        let Config { return_sequences, go_backwards, .. } = config;
        Ok(Recurrent { go_backwards, ..Recurrent::new(cell, return_sequences) })
    }

    /// A `Bidirectional`.
    pub fn bidirectional(
        &mut self,
        entry: &Entry,
        weights: &mut LayerWeights<'_>,
    ) -> Result<(String, Bidirectional<f32>)> {
        let mut options = entry.options.clone();
        options.common()?;
        let merge_mode = match options.take("merge_mode") {
            None => bail!("merge_mode null: two outputs are not read"),
            Some(value) => {
                let mode = MergeMode::ALL.into_iter().find(|mode| value == mode.keras_name());
                mode.ok_or_else(|| refusal("merge_mode", &value, "not known"))?
            }
        };
        let layer = Entry::read(options.needed("layer")?).context("layer")?;
        let backward = match options.take("backward_layer") {
            Some(backward) => {
                let backward = Entry::read(backward).context("backward_layer")?;
                mirrored(&layer, &backward).context("backward_layer")?;
                Some(backward.name)
            }
            None => None,
        };
        weights.directions(&layer.name, backward.as_deref())?;
        options.finish()?;
        let config = Config::read(self.version, &layer.class, layer.options).context("layer")?;
        ensure!(!config.go_backwards, "layer: go_backwards true: the other layer reads backwards");
        config.check(self, &entry.class, entry.states_unused)?;
        config.check_both(self)?;
        let mut direction = |part| config.cell(self.features, weights, part);
        let [forward, backward] = [direction(Part::Forward)?, direction(Part::Backward)?];
        let forward = Recurrent::new(forward, config.return_sequences);
        let backward = Recurrent { go_backwards: true, ..Recurrent::new(backward, config.return_sequences) };
        Ok((layer.class, Bidirectional { forward, backward, merge_mode }))
    }
}

/// Refuses a backward layer that is anything but the forward one turned round.
fn mirrored(forward: &Entry, backward: &Entry) -> Result<()> {
    ensure!(
        forward.class == backward.class,
        "class_name {}: the other layer is of class {}",
        backward.class,
        forward.class
    );
    let mut backwards = backward.options.clone();
    ensure!(backwards.flag("go_backwards", false)?, "go_backwards false: the other layer reads forwards");
    let [ours, theirs] = [&forward.options, &backwards].map(|options| {
        let mut options = options.clone();
        options.common()?;
        options.ignore(&["go_backwards", "unroll", "implementation"]);
        Ok::<_, anyhow::Error>(options)
    });
    match ours?.difference(&theirs?) {
        Some(key) => bail!("{key}: not that of the other layer"),
        None => Ok(()),
    }
}
