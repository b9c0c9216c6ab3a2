//! Recurrent layers: `LSTM`, `GRU`, `SimpleRNN` and `Bidirectional`.

use anyhow::{Context, Result, bail, ensure};

use super::activation;
use super::dict::{ConfigDict, rejection};
use super::frames::FrameInfo;
use super::initial_state;
use super::layer_config::LayerConfig;
use super::naming::SubLayer;
use super::version::KerasVersion;
use super::weights::LayerWeights;
use crate::cells::{CellKind, CellWeights, Framework, cell};
use embedded_rnn_nn::cells::AnyCell;
use embedded_rnn_nn::export::Activations;
use embedded_rnn_nn::layers::{Bidirectional, MergeMode, Recurrent};
use embedded_rnn_nn::tensor::Matrix;

/// The options of a recurrent layer.
struct RecurrentConfig {
    kind: CellKind,
    units: usize,
    activations: Activations,
    use_bias: bool,
    return_sequences: bool,
    return_state: bool,
    go_backwards: bool,
    zero_output_for_mask: bool,
    unroll: bool,
    stateful: bool,
}

impl RecurrentConfig {
    fn read(version: KerasVersion, class: &str, mut options: ConfigDict) -> Result<Self> {
        let options = &mut options;
        options.ignore_training()?;
        options.off("time_major", "only batches of sequences are supported")?;
        // The implementation in Keras, and the initialization.
        options.ignore(&["implementation", "use_cudnn", "unit_forget_bias"]);
        let kind = match class {
            "SimpleRNN" => CellKind::SimpleRnn,
            "LSTM" => CellKind::Lstm,
            // A file without the option is older than it.
            "GRU" => CellKind::Gru { reset_after: options.flag("reset_after", false)? },
            _ => bail!("class_name {class}: not a supported recurrent layer"),
        };
        let value = activation::of_cell(version, "activation", options)?;
        let gates = match kind {
            CellKind::SimpleRnn => value,
            CellKind::Lstm | CellKind::Gru { .. } => {
                activation::of_cell(version, "recurrent_activation", options)?
            }
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
            stateful: options.flag("stateful", false)?,
        };
        options.clone().finish()?;
        Ok(config)
    }

    /// Creates the cell with the weights of a sub-layer.
    fn cell(
        &self,
        features: usize,
        weights: &mut LayerWeights<'_>,
        sub_layer: SubLayer,
    ) -> Result<AnyCell<f32>> {
        let rows = self.kind.gates() * self.units;
        let has_two_biases = self.kind == CellKind::Gru { reset_after: true };
        let bias = if has_two_biases { vec![2, rows] } else { vec![rows] };
        let mut expected =
            vec![("kernel", vec![features, rows]), ("recurrent_kernel", vec![self.units, rows])];
        expected.extend(self.use_bias.then_some(("bias", bias)));
        let found = weights.arrays(sub_layer, &expected)?;
        // One row, or two, that of the input first.
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

    /// Checks that the runtime does the same as Keras in this place.
    fn check(&self, info: &FrameInfo, class: &str, states_unused: bool) -> Result<()> {
        ensure!(info.has_time, "class_name {class}: no time axis");
        ensure!(
            states_unused || !self.return_state,
            "return_state true: states as outputs are not supported"
        );
        ensure!(
            !self.stateful || !self.go_backwards,
            "stateful true: not supported in a layer that runs backwards, which starts at the end of each \
             sequence"
        );
        ensure!(
            info.mask.is_none() || !self.return_sequences || !self.go_backwards,
            "go_backwards true: not supported with return_sequences after a mask, \
             which Keras does not reverse"
        );
        Ok(())
    }

    /// Checks one direction after a mask, where the runtime repeats the last output.
    fn check_unidirectional(&self, info: &FrameInfo) -> Result<()> {
        ensure!(
            info.mask.is_none() || !self.zero_output_for_mask,
            "zero_output_for_mask true: not supported after a mask"
        );
        Ok(())
    }

    /// Checks both directions after a mask, where the runtime outputs zeros. Keras does too, but at the wrong
    /// time steps if it unrolls the backward layer (`backend.rnn` applies the mask to reversed outputs).
    fn check_bidirectional(&self, info: &FrameInfo) -> Result<()> {
        ensure!(
            !self.stateful,
            "stateful true: not supported in a Bidirectional, which starts at both ends of each sequence"
        );
        ensure!(
            info.mask.is_none() || !self.unroll || !self.return_sequences,
            "unroll true: not supported with return_sequences after a mask, \
             which Keras applies in the wrong order"
        );
        Ok(())
    }
}

/// Reads an `LSTM`, a `GRU` or a `SimpleRNN`, and whether it is stateful.
///
/// # Errors
/// An option that is not supported.
pub fn recurrent(
    info: &FrameInfo,
    layer: &LayerConfig,
    weights: &mut LayerWeights<'_>,
) -> Result<(Recurrent<f32>, bool)> {
    let config = RecurrentConfig::read(info.version, &layer.class, layer.options.clone())?;
    config.check(info, &layer.class, layer.states_unused)?;
    config.check_unidirectional(info)?;
    let cell = config.cell(info.features, weights, SubLayer::Cell)?;
    let RecurrentConfig { return_sequences, go_backwards, stateful, .. } = config;
    ensure!(
        !stateful || layer.initial_state.is_none(),
        "stateful true: not supported with an initial_state, from which Keras starts each call"
    );
    let states = initial_states(layer, cell.get().states().len(), config.units)?;
    let recurrent = Recurrent::new(cell, return_sequences).starting_from(states);
    Ok((Recurrent { go_backwards, ..recurrent }, stateful))
}

/// Reads the initial states of a layer; none for zeros.
fn initial_states(layer: &LayerConfig, count: usize, units: usize) -> Result<Vec<Matrix<f32>>> {
    layer.initial_state.as_ref().map_or(Ok(Vec::new()), |value| initial_state::read(value, count, units))
}

/// Reads a `Bidirectional`, and returns the class of its layers with it.
///
/// # Errors
/// An option that is not supported.
pub fn bidirectional(
    info: &FrameInfo,
    layer: &LayerConfig,
    weights: &mut LayerWeights<'_>,
) -> Result<(String, Bidirectional<f32>)> {
    let mut options = layer.options.clone();
    options.ignore_training()?;
    let merge_mode = merge_mode(&mut options)?;
    let inner = LayerConfig::inside(options.required("layer")?).context("layer")?;
    let backward = match options.take("backward_layer") {
        Some(backward) => {
            let backward = LayerConfig::inside(backward).context("backward_layer")?;
            check_backward(&inner, &backward).context("backward_layer")?;
            Some(backward.name)
        }
        None => None,
    };
    weights.set_directions(&inner.name, backward.as_deref())?;
    options.finish()?;
    let config = RecurrentConfig::read(info.version, &inner.class, inner.options).context("layer")?;
    ensure!(!config.go_backwards, "layer: go_backwards true: the forward layer must not run backwards");
    config.check(info, &layer.class, layer.states_unused)?;
    config.check_bidirectional(info)?;
    let mut direction = |sub_layer| config.cell(info.features, weights, sub_layer);
    let [forward, backward] = [direction(SubLayer::Forward)?, direction(SubLayer::Backward)?];
    // The states of the forward layer come first.
    let own = forward.get().states().len();
    let mut states = initial_states(layer, 2 * own, config.units)?;
    let of_backward = states.split_off(states.len() / 2);
    let forward = Recurrent::new(forward, config.return_sequences).starting_from(states);
    let backward = Recurrent::new(backward, config.return_sequences).starting_from(of_backward);
    let backward = Recurrent { go_backwards: true, ..backward };
    Ok((inner.class, Bidirectional { forward, backward, merge_mode }))
}

fn merge_mode(options: &mut ConfigDict) -> Result<MergeMode> {
    let Some(value) = options.take("merge_mode") else {
        bail!("merge_mode null: two outputs are not supported")
    };
    let mode = MergeMode::ALL.into_iter().find(|mode| value == mode.keras_name());
    mode.ok_or_else(|| rejection("merge_mode", &value, "unknown"))
}

/// Checks that the backward layer is the forward layer in the opposite direction.
fn check_backward(forward: &LayerConfig, backward: &LayerConfig) -> Result<()> {
    ensure!(
        forward.class == backward.class,
        "class_name {}: the forward layer has class {}",
        backward.class,
        forward.class
    );
    let mut backwards = backward.options.clone();
    ensure!(
        backwards.flag("go_backwards", false)?,
        "go_backwards false: the backward layer must run backwards"
    );
    let [forward, backward] = [&forward.options, &backwards].map(|options| {
        let mut options = options.clone();
        options.ignore_training()?;
        options.ignore(&["go_backwards", "unroll", "implementation"]);
        Ok::<_, anyhow::Error>(options)
    });
    match forward?.difference(&backward?) {
        Some(key) => bail!("{key}: differs from the forward layer"),
        None => Ok(()),
    }
}
