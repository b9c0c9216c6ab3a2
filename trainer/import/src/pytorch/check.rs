//! Checks of the options against the modules of the file.

use anyhow::{Result, bail, ensure};

use super::module::{TorchModule, listed};
use super::options::Options;
use embedded_rnn_nn::layers::check_epsilon;

/// Checks that the options refer to modules of the file, and that each has an effect.
///
/// # Errors
/// The flag, with the module that does not exist, is given twice or is missing, or the module class that the
/// file lacks.
pub fn check(options: &Options, modules: &[TorchModule]) -> Result<()> {
    check_names(options, modules)?;
    ensure!(!(options.last_step && options.return_sequences), "--last-step: not with --return-sequences");
    check_epsilon(options.eps)?;
    let has_any = |classes: &[&str]| {
        let mut candidates = modules.iter().flat_map(|module| &module.candidates);
        candidates.any(|candidate| classes.contains(&candidate.class))
    };
    for (flag, is_set, classes) in [
        ("--nonlinearity", options.nonlinearity.is_some(), &["RNN"][..]),
        ("--return-sequences", options.return_sequences, &["RNN", "LSTM", "GRU"]),
        ("--eps", options.eps.is_some(), &["BatchNorm1d", "LayerNorm"]),
    ] {
        ensure!(!is_set || has_any(classes), "{flag}: the file has no {}", classes.join(" or "));
    }
    Ok(())
}

fn check_names(options: &Options, modules: &[TorchModule]) -> Result<()> {
    for (flag, names) in [
        ("--modules", options.modules.iter().collect::<Vec<_>>()),
        ("--as", options.roles.iter().map(|(name, _)| name).collect()),
        ("--activation", options.activations.iter().map(|(name, _)| name).collect()),
        ("--initial", options.initial.iter().map(|(name, _)| name).collect()),
    ] {
        for (k, name) in names.iter().enumerate() {
            let exists = modules.iter().any(|module| module.name == **name);
            ensure!(exists, "{flag} {name}: no such module; the file has {}", listed(modules));
            ensure!(!names[..k].contains(name), "{flag} {name}: given twice");
        }
    }
    let missing = modules.iter().find(|module| !options.modules.contains(&module.name));
    match missing {
        Some(TorchModule { name, .. }) if !options.modules.is_empty() => {
            bail!("--modules: {name} is missing; --without {name} excludes it")
        }
        _ => Ok(()),
    }
}
