//! The names of modules whose sizes fit in one order, and whether they are a chain.
//!
//! Sizes are no proof. A decoder that reads its own outputs fits behind its encoder, and so does attention:
//! `encoder.lstm` 3 -> 4, `decoder.lstm` 2 -> 4 and `decoder.fc` 4 -> 2 are no chain, but the order
//! `encoder.lstm`, `decoder.fc`, `decoder.lstm` fits. Only names without such a structure are accepted: one
//! parent for all modules, and a single recurrent module or a stack of numbered ones.

use anyhow::{Result, bail};

use super::module::{TorchModule, listed};
use super::order::Choice;

/// Checks that the names of the modules do not contradict a chain in this order.
///
/// # Errors
/// Several parents, or several recurrent modules that are no numbered stack, with the flag that gives an
/// order.
pub fn check(modules: &[TorchModule], order: &[Choice]) -> Result<()> {
    let parents = modules.iter().map(|module| parent(&module.name));
    let reason = if parents.clone().any(|own| parents.clone().next() != Some(own)) {
        "modules of different parents"
    } else if !is_stack(modules, order) {
        "several recurrent modules"
    } else {
        return Ok(());
    };
    bail!(
        "{reason}, whose order does not follow from sizes: give all modules in their order with --modules, \
         or exclude some with --without: {}",
        listed(modules)
    )
}

/// Returns the path of the module that contains this one.
fn parent(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(parent, _)| parent)
}

/// Returns whether the recurrent modules follow each other directly, and only their rising numbers differ.
fn is_stack(modules: &[TorchModule], order: &[Choice]) -> bool {
    let is_recurrent = |choice: &&Choice| {
        let class = modules[choice.module].candidates[choice.candidate].class;
        ["LSTM", "GRU", "RNN"].contains(&class)
    };
    let count = order.iter().filter(is_recurrent).count();
    let first = order.iter().position(|choice| is_recurrent(&choice)).unwrap_or_default();
    let run = order[first..].iter().take_while(is_recurrent);
    let numbers: Vec<_> = run.map(|choice| numbered(&modules[choice.module].name)).collect();
    numbers.len() == count && numbers.windows(2).all(|pair| pair[0].0 == pair[1].0 && pair[0].1 < pair[1].1)
}

/// Splits a name into its start and the number at its end; no number comes before all numbers.
fn numbered(name: &str) -> (&str, Option<u64>) {
    let start = name.trim_end_matches(|end: char| end.is_ascii_digit());
    (start, name[start.len()..].parse().ok())
}
