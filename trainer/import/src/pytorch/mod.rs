//! PyTorch: `.safetensors` files of a state dict, with PyTorch's names.
//!
//! ```text
//! bytes --file--> tensors by name --modules--> modules with input and output sizes --order--> layers
//! ```
//! Such a file contains names, shapes and values, and nothing else. The importer derives what follows from
//! them. Everything else comes from the [`Options`], or the file is rejected:
//!
//! | property | source |
//! |---|---|
//! | LSTM, GRU, RNN, `..Cell` | rows per column of `weight_hh`: 4, 3, 1 gates |
//! | stacked, bidirectional | `_l0`, `_l1`.. and `_reverse`; directions are concatenated, as in PyTorch |
//! | Linear | `weight` of two axes; of three if the last is 1, which is a Conv1d of kernel size 1 |
//! | Embedding | `weight` of two axes, no `bias`, first module; it may be a Linear too: [`Options::roles`] |
//! | BatchNorm1d | `running_mean`, `running_var` |
//! | LayerNorm | `weight` and `bias` of one axis; a GroupNorm has the same, and is not supported |
//! | order of the modules | sizes, if one order fits and names allow it; otherwise [`Options::modules`] |
//! | activations between modules | [`Options::activations`], otherwise linear |
//! | activation of nn.RNN | [`Options::nonlinearity`], otherwise tanh as in PyTorch |
//! | initial states | [`Options::initial`], otherwise zeros |
//! | all steps or the last | [`Options::return_sequences`], otherwise the last |
//!
//! The output for a whole sequence is the final state of the last recurrent layer, PyTorch's `h_n`: for a
//! bidirectional layer the final states of both directions, where that of the backward direction is the state
//! after the first frame (as in Keras). `output[:, -1]` is something else there: its backward half has seen
//! the last frame only.
//!
//! A network that is no chain (two heads on one layer, a sum of two branches) is rejected if its sizes fit no
//! order, if its modules have different parents, or if several recurrent modules are no numbered stack.
//! Others that fit by chance are not noticed: the order is a note for the user, as is everything else that
//! is assumed.
//!
//! Tied tensors are in the file once. `save_model` of safetensors names the others in `__metadata__`, and
//! they are read from there.
//!
//! The result does not depend on `batch_first`, `dropout` or an embedding's `padding_idx`, which is an
//! ordinary id in inference.
//!
//! ```text
//! assumed    chain            the note for the user; names that are no chain
//! order      check            the order of the modules; options against modules
//!     modules                 recognition
//!    recurrent  initial       LSTM, GRU, RNN and their cells; their initial states
//! group      module           tensors of a module; its interpretations
//!      file                   safetensors
//!     options
//! ```

mod assumed;
mod chain;
mod check;
mod file;
mod group;
mod initial;
mod module;
mod modules;
mod options;
mod order;
mod recurrent;

pub use options::{Nonlinearity, Options, WeightRole};

use anyhow::{Context, Result, bail, ensure};

use super::importer::Importer;
use super::one_step::{side_by_side, without_state};
use super::stack::{Imported, LayerStack};
use embedded_rnn_nn::layers::{Activation, Kind, Layer, Recurrent};
use module::{Candidate, InputKind, TorchModule};
use order::Choice;

/// The importer of `.safetensors` files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PyTorch {
    /// The facts that the file does not contain.
    pub options: Options,
}

impl Importer for PyTorch {
    fn extensions(&self) -> &'static [&'static str] {
        &["safetensors"]
    }

    fn first_flag(&self) -> Option<&'static str> {
        self.options.first_flag()
    }

    fn read(&self, bytes: Vec<u8>, name: &str) -> Result<Imported> {
        read(&bytes, name, &self.options)
    }
}

/// Reads the bytes of a file.
///
/// # Errors
/// A tensor that is not supported, by name; modules that fit in no order or in several, with the flag that
/// selects one; an option without effect; a damaged file.
pub fn read(bytes: &[u8], name: &str, options: &Options) -> Result<Imported> {
    let mut tensors = file::read(bytes, options)?;
    let initial = initial::take(&mut tensors, options)?;
    let mut modules = modules::recognize(tensors, options)?;
    check::check(options, &modules)?;
    initial::apply(&mut modules, &initial)?;
    let order = order::find(&modules, options)?;
    if options.modules.is_empty() {
        chain::check(&modules, &order)?;
    }
    let note = assumed::note(&modules, &order, options);
    let imported = network(modules, &order, options, name)?;
    Ok(Imported { notes: note.into_iter().collect(), ..imported })
}

/// Builds the network of all modules in this order.
fn network(modules: Vec<TorchModule>, order: &[Choice], options: &Options, name: &str) -> Result<Imported> {
    let mut modules: Vec<Option<TorchModule>> = modules.into_iter().map(Some).collect();
    let mut layers = LayerStack::default();
    let mut input_size = None;
    for choice in order {
        let TorchModule { name, mut candidates } =
            modules[choice.module].take().context("a module twice in an order")?;
        let candidate = candidates.swap_remove(choice.candidate);
        let Candidate { input, output_size, layers: own, .. } = candidate;
        input_size = input_size.or(Some(match input {
            InputKind::Ids(_) => 1,
            InputKind::Features(size) => size,
        }));
        for layer in own {
            layers.push(&layer.name, layer.origin, layer.kind)?;
        }
        if let Some(activation) = options.activation_of(&name) {
            let kind = Kind::Activation(Activation::new(output_size, activation));
            layers.push(&format!("{name}.{}", activation.keras_name()), "--activation".to_owned(), kind)?;
        }
    }
    if options.last_step {
        return_last_step_of_both(&mut layers)?;
    }
    if !options.return_sequences {
        return_last_step(&mut layers);
    }
    layers.finish(name, input_size.unwrap_or_default())
}

/// Makes the last recurrent layer return its last step only; all others return sequences already.
fn return_last_step(layers: &mut LayerStack) {
    let last = layers.layers_mut().iter_mut().rev().find_map(|layer| match &mut layer.kind {
        Kind::Recurrent(layer) => Some([Some(layer), None]),
        Kind::Bidirectional(layer) => Some([Some(&mut layer.forward), Some(&mut layer.backward)]),
        _ => None,
    });
    for layer in last.into_iter().flatten().flatten() {
        layer.return_sequences = false;
    }
}

/// Replaces the last recurrent layer, a bidirectional one, by one that computes the last step of both of its
/// directions.
///
/// # Errors
/// Another layer, or a GRU.
fn return_last_step_of_both(layers: &mut LayerStack) -> Result<()> {
    let is_recurrent =
        |layer: &&mut Layer<f32>| matches!(layer.kind, Kind::Recurrent(_) | Kind::Bidirectional(_));
    let last = layers.layers_mut().iter_mut().rev().find(is_recurrent);
    let last = last.context("--last-step: the file has no RNN, LSTM or GRU")?;
    let Kind::Bidirectional(both) = &last.kind else {
        bail!("--last-step: {} has one direction, whose last time step is the output without it", last.name)
    };
    ensure!(
        both.forward.initial_state.is_empty() && both.backward.initial_state.is_empty(),
        "--last-step: {}: not with --initial",
        last.name
    );
    let backward = without_state(&both.backward.cell);
    let cell = backward.and_then(|backward| side_by_side(&both.forward.cell, &backward));
    let cell = cell.with_context(|| {
        format!("--last-step: {}: a GRU keeps a share of its state at every time step", last.name)
    })?;
    last.kind = Kind::Recurrent(Recurrent::new(cell, true));
    Ok(())
}
