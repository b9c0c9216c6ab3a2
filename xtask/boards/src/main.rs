//! `xtask-boards`: networks on emulated boards. `cargo xtask board` runs it.
//!
//! Map: [`nets`] the table of networks, made from [`random`] weights or from [`examples`] of the trainer;
//! [`vectors`] their test vectors; [`conformance`] the outputs that the PC computes from these; [`image`] the
//! firmware's images, [`rustc`] a wrapper that makes them the same in every folder, [`elf`] their contents;
//! [`qemu`] the emulator; [`run`] the command; [`results`] its table and lines, [`record`] the figures of an
//! earlier run, and [`docs`] the tables made from them.
//! [`panics`] searches all that is [`public`] in the runtime. [`vector_files`] writes test vectors for the
//! bindings, [`demo`] the files of the page in docs/demo. [`flash`] is the command `cargo xtask flash`, for
//! the real boards in [`kits`]; [`boot`] checks what their chips need to start an image.

mod boot;
mod clippy;
mod conformance;
mod demo;
mod docs;
mod elf;
mod examples;
mod flash;
mod image;
mod kits;
mod nets;
mod panics;
mod public;
mod qemu;
mod random;
mod record;
mod results;
mod run;
mod rustc;
mod vector_files;
mod vectors;

use std::process::ExitCode;

use clap::Parser;
use xtask::args::{BoardArgs, FlashArgs};

/// Networks on emulated boards; `cargo xtask board` runs it
#[derive(Parser)]
#[command(name = "xtask-boards")]
enum Command {
    Run(BoardArgs),
    Flash(FlashArgs),
    /// Lints the firmware on every board
    #[command(after_help = "Example:\n  cargo run --package xtask-boards -- clippy")]
    Clippy,
    /// Searches every public function of the runtime for panics, on every core
    #[command(after_help = "Example:\n  cargo run --package xtask-boards -- panics")]
    Panics,
    /// Writes models, inputs and outputs for the bindings to target/conformance
    #[command(after_help = "Example:\n  cargo run --package xtask-boards -- vectors")]
    Vectors,
    /// Checks that a model too large for a real board fails its link
    #[command(after_help = "Example:\n  cargo run --package xtask-boards -- too-large")]
    TooLarge,
    /// Writes the model and the recordings of docs/demo
    #[command(after_help = "Example:\n  cargo run --package xtask-boards -- demo")]
    Demo,
}

fn main() -> ExitCode {
    if let Some(code) = rustc::run_wrapped() {
        return code;
    }
    let result = match Command::parse() {
        Command::Run(args) => run::run(&args),
        Command::Flash(args) => flash::run(&args),
        Command::Clippy => clippy::run(),
        Command::Panics => panics::run(),
        Command::Vectors => vector_files::run(),
        Command::TooLarge => flash::check_too_large(),
        Command::Demo => demo::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
