//! `xtask-c`: the C library. `cargo xtask c` and `cargo xtask dist` run it.
//!
//! Map: [`header`] is made of the sources; [`library`] builds the static library; [`vectors`] are the models,
//! inputs and outputs that the C programs replay, and [`document`] is the program in docs/c.md; [`programs`]
//! builds and runs these, on the PC and, by [`board`], on an emulated board.

mod board;
mod document;
mod header;
mod library;
mod programs;
mod vectors;

use std::process::ExitCode;

use clap::Parser;
use xtask::args::CArgs;

/// The C library; `cargo xtask c` and `cargo xtask dist` run it
#[derive(Parser)]
#[command(name = "xtask-c")]
enum Command {
    Run(CArgs),
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Run(args) if args.write => header::write(),
        Command::Run(_) => programs::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
