//! `.safetensors` files: networks of PyTorch with their outputs, and rejected files.

#[path = "../common/mod.rs"]
mod common;
mod damage;
mod golden;
mod initial;
mod overwrite;
mod rejected;
mod reports;
mod tied;

use std::path::Path;

use clap::Parser;
use embedded_rnn_trainer::commands::import::PyTorchArgs;
use embedded_rnn_trainer::import::pytorch::PyTorch;
use embedded_rnn_trainer::import::{Imported, Importers};

/// The flags of `ernn import` for such a file.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    args: PyTorchArgs,
}

fn import(path: &Path, args: &[impl AsRef<str>]) -> anyhow::Result<Imported> {
    let args = ["ernn"].into_iter().chain(args.iter().map(AsRef::as_ref));
    let options = Flags::try_parse_from(args).unwrap().args.into();
    Importers { pytorch: PyTorch { options }, ..Importers::default() }.read(path)
}
