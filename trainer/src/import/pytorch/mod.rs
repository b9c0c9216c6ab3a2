//! PyTorch: `.safetensors` files of a state dict, with PyTorch's names.
//!
//! ```text
//! bytes --file--> tensors by name --modules--> modules, what each takes and gives --order--> a chain --> layers
//! ```
//! Such a file has names, shapes and numbers, and no more. What follows from them is taken; of what does not, [`Options`]
//! tell, and otherwise it is refused:
//!
//! | what | how it is known |
//! |---|---|
//! | LSTM, GRU, RNN, `..Cell` | rows of `weight_hh` over its columns: 4, 3, 1 gates |
//! | stacked, bidirectional | `_l0`, `_l1`.. and `_reverse`; both directions are concatenated, as PyTorch does |
//! | Linear | `weight` of two axes; of three if the last is 1, which is a Conv1d with a kernel of 1 |
//! | Embedding | `weight` of two axes without `bias`, where a chain begins; it may be a Linear as well: [`Options::role`] |
//! | BatchNorm1d | `running_mean`, `running_var` |
//! | LayerNorm | `weight` and `bias` of one axis; a GroupNorm looks the same, and is none of those that are read |
//! | order of the modules | sizes, if one chain alone fits them; else [`Options::modules`] |
//! | functions between modules | never: linear, unless [`Options::activation`] says otherwise |
//! | nn.RNN's function | never: tanh, as PyTorch has it, unless [`Options::nonlinearity`] says otherwise |
//! | whether every step is answered | never: the last one is, unless [`Options::return_sequences`] says otherwise |
//!
//! The answer to a whole sequence is what the last recurrent layer's state is in the end, PyTorch's `h_n`: of a
//! bidirectional one both directions' states, the backward one's being that after the first frame (so it is in Keras).
//! `output[:, -1]` is another thing there: of the backward direction it is what comes of the last frame alone.
//!
//! A net that is no chain (two heads on one layer, a sum of two) has no other names than one that is. It is refused if its sizes
//! fit no chain; where they fit one by chance nobody can tell.
//!
//! Nothing here depends on `batch_first`, `dropout` or an embedding's `padding_idx`, which is an id like any other once
//! training is over.

mod file;
mod modules;
mod options;
mod order;
mod recurrent;

pub use options::{Nonlinearity, Options, Role};

use anyhow::{Context, Result};

use super::{Chain, Imported};
use crate::layers::{Activation, Kind};
use modules::{Form, Module, Takes};
use order::Link;

/// Reads the bytes of a file.
///
/// # Errors
/// A tensor that is not understood, by name; modules that fit each other in no way or in several, with the flag that
/// helps; a flag that nothing in the file is meant by; a damaged file.
pub fn read(bytes: &[u8], name: &str, options: &Options) -> Result<Imported> {
    let tensors = file::read(bytes, options)?;
    let modules = modules::of(tensors, options)?;
    options.check_modules(&modules)?;
    let order = order::find(&modules, options)?;
    chain(modules, &order, options, name)
}

/// The layers of all modules in this order.
fn chain(modules: Vec<Module>, order: &[Link], options: &Options, name: &str) -> Result<Imported> {
    let mut modules: Vec<Option<Module>> = modules.into_iter().map(Some).collect();
    let mut chain = Chain::default();
    let mut input_size = None;
    for link in order {
        let Module { name, mut forms } = modules[link.module].take().context("a module twice in a chain")?;
        let Form { takes, gives, layers, .. } = forms.swap_remove(link.form);
        input_size = input_size.or(Some(match takes {
            Takes::Ids(_) => 1,
            Takes::Features(size) => size,
        }));
        for layer in layers {
            chain.push(&layer.name, layer.origin, layer.kind)?;
        }
        if let Some(function) = options.activation_of(&name) {
            let kind = Kind::Activation(Activation::new(gives, function));
            chain.push(&format!("{name}.{}", function.keras_name()), "--activation".to_owned(), kind)?;
        }
    }
    if !options.return_sequences {
        answer_once(&mut chain);
    }
    chain.finish(name, input_size.unwrap_or_default())
}

/// Lets the last recurrent layer give its last answer only; all others give sequences already.
fn answer_once(chain: &mut Chain) {
    let last = chain.layers_mut().iter_mut().rev().find_map(|layer| match &mut layer.kind {
        Kind::Recurrent(layer) => Some([Some(layer), None]),
        Kind::Bidirectional(layer) => Some([Some(&mut layer.forward), Some(&mut layer.backward)]),
        _ => None,
    });
    for layer in last.into_iter().flatten().flatten() {
        layer.return_sequences = false;
    }
}
