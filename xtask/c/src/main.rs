//! `xtask-c`: the C library. `cargo xtask c` and `cargo xtask dist` run it.
//!
//! Map: [`header`] is made of the sources; [`library`] builds the static library, for the [`cores`] too;
//! [`vectors`] are the models, inputs and outputs that the C programs replay, and [`document`] is the program
//! in docs/c.md; [`programs`] builds and runs these, on the PC and, by [`board`], on an emulated board;
//! [`dist`] packs the libraries.

mod board;
mod cores;
mod dist;
mod document;
mod header;
mod library;
mod programs;
mod vectors;

use std::process::ExitCode;

use clap::Parser;
use xtask::args::{CArgs, DistArgs};

/// The C library; `cargo xtask c` and `cargo xtask dist` run it
#[derive(Parser)]
#[command(name = "xtask-c")]
enum Command {
    Run(CArgs),
    Dist(DistArgs),
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Run(args) if args.write => header::write(),
        Command::Run(_) => programs::run(),
        Command::Dist(_) => dist::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
