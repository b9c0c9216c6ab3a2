//! Initial states: tensors beside the modules, as in `self.h0 = nn.Parameter(..)`, which the user assigns to
//! a module. As in PyTorch, they hold the states of layer after layer, the forward direction before the
//! backward one.

use anyhow::{Context, Result, ensure};

use super::file::TensorsByName;
use super::module::{NamedLayer, TorchModule};
use super::options::Options;
use crate::tensor::Tensor;
use embedded_rnn_nn::layers::{Kind, Module, Recurrent};
use embedded_rnn_nn::tensor::Matrix;

/// The initial states of a module.
pub struct ModuleStates {
    /// The name of the module.
    module: String,
    /// The names of h, and c if there is one, with their values.
    states: Vec<(String, Tensor)>,
}

/// Removes the tensors that are initial states.
///
/// # Errors
/// A tensor that does not exist.
pub fn take(tensors: &mut TensorsByName, options: &Options) -> Result<Vec<ModuleStates>> {
    let take = |(module, names): &(String, Vec<String>)| {
        let states = names.iter().map(|name| {
            let place = || format!("--initial {module}: {name}: no such tensor");
            Ok((name.clone(), tensors.remove(name).with_context(place)?))
        });
        Ok(ModuleStates { module: module.clone(), states: states.collect::<Result<_>>()? })
    };
    options.initial.iter().map(take).collect()
}

/// Gives the states to their modules, which exist.
///
/// # Errors
/// A module that is not recurrent, or states of another number or size.
pub fn apply(modules: &mut [TorchModule], all: &[ModuleStates]) -> Result<()> {
    for own in all {
        let module = modules.iter_mut().find(|module| module.name == own.module);
        let layers = module.and_then(|module| module.candidates.first_mut()).map(|own| &mut own.layers);
        let mut cells: Vec<&mut Recurrent<f32>> = layers.into_iter().flatten().flat_map(cells_of).collect();
        let sizes = cells.first().map_or(Vec::new(), |cell| cell.states());
        let flag = || format!("--initial {}", own.module);
        ensure!(!sizes.is_empty(), "{}: not an RNN, LSTM or GRU", flag());
        ensure!(
            sizes.len() == own.states.len(),
            "{}: {} tensors, expected {}",
            flag(),
            own.states.len(),
            if sizes.len() == 2 { "H:C" } else { "H" }
        );
        let count = cells.len();
        let values =
            own.states.iter().map(|(name, tensor)| rows(tensor, count, sizes[0]).context(name.clone()));
        let values = values.collect::<Result<Vec<_>>>().with_context(flag)?;
        for (k, cell) in cells.iter_mut().enumerate() {
            cell.initial_state = values.iter().map(|rows| rows[k].clone()).collect();
        }
    }
    Ok(())
}

/// Returns the directions of a layer.
fn cells_of(layer: &mut NamedLayer) -> Vec<&mut Recurrent<f32>> {
    match &mut layer.kind {
        Kind::Recurrent(cell) => vec![cell],
        Kind::Bidirectional(both) => vec![&mut both.forward, &mut both.backward],
        _ => Vec::new(),
    }
}

/// Returns `count` states of `units`; other axes have length 1.
fn rows(tensor: &Tensor, count: usize, units: usize) -> Result<Vec<Matrix<f32>>> {
    let shape = tensor.shape();
    let others = shape.split_last().map_or(&[][..], |(_, others)| others);
    let fits = shape.last() == Some(&units)
        && others.iter().product::<usize>() == count
        && others.iter().filter(|&&len| len != 1).count() <= 1;
    ensure!(fits, "shape {shape:?}, expected [{count}, 1, {units}]");
    let rows = tensor.values().chunks_exact(units);
    Ok(rows.map(|row| Matrix::from_column_slice(units, 1, row)).collect())
}
