//! `.safetensors` files: what PyTorch wrote answers as it did there, and what is not understood is refused by name.

mod damage;
mod golden;
mod refusals;

use std::path::Path;

use clap::Parser;
use embedded_rnn_trainer::import::pytorch::Options;
use embedded_rnn_trainer::import::{Imported, read_with};

/// The flags of `ernn import` that are meant for such a file.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    options: Options,
}

fn options(args: &[impl AsRef<str>]) -> Options {
    let args = ["ernn"].into_iter().chain(args.iter().map(AsRef::as_ref));
    Flags::try_parse_from(args).unwrap().options
}

fn import(path: &Path, args: &[impl AsRef<str>]) -> anyhow::Result<Imported> {
    read_with(path, &options(args))
}
