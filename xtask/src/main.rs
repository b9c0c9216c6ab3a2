//! `cargo xtask`: cross builds, emulated boards and CI. `cargo xtask help` lists the commands.
//!
//! Map: [`commands`] one file per command, [`gates`] the checks of sources and packages, [`metadata`] the
//! workspace as cargo describes it.

mod commands;
mod gates;
mod metadata;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::args::{BoardArgs, CArgs, DataArgs, DistArgs, FlashArgs};

use commands::{
    ci::Ci, compare::Compare, delegate, demo::Demo, doctor::Doctor, fuzz::Fuzz, python::Python, setup::Setup,
    style::Style, wasm::Wasm,
};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The scripts of this project")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Board(BoardArgs),
    C(CArgs),
    Ci(Ci),
    Compare(Compare),
    Data(DataArgs),
    Demo(Demo),
    Dist(DistArgs),
    Flash(FlashArgs),
    Doctor(Doctor),
    Fuzz(Fuzz),
    Python(Python),
    Setup(Setup),
    Style(Style),
    Wasm(Wasm),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Board(_) => delegate::board(),
        Command::C(_) => delegate::c(),
        Command::Data(_) => delegate::data(),
        Command::Dist(_) => delegate::dist(),
        Command::Flash(_) => delegate::flash(),
        Command::Demo(command) => command.run().map(|()| ExitCode::SUCCESS),
        Command::Ci(command) => command.run().map(|()| ExitCode::SUCCESS),
        Command::Compare(command) => command.run().map(|()| ExitCode::SUCCESS),
        Command::Doctor(command) => command.run().map(|()| ExitCode::SUCCESS),
        Command::Fuzz(command) => command.run().map(|()| ExitCode::SUCCESS),
        Command::Python(command) => command.run().map(|()| ExitCode::SUCCESS),
        Command::Setup(command) => command.run().map(|()| ExitCode::SUCCESS),
        Command::Style(command) => command.run().map(|()| ExitCode::SUCCESS),
        Command::Wasm(command) => command.run().map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed_and_every_command_has_an_example() {
        let mut cli = Cli::command();
        cli.clone().debug_assert();
        for command in cli.get_subcommands_mut() {
            let help = command.render_long_help().to_string();
            assert!(help.contains("Example"), "{} has no example", command.get_name());
        }
    }

    #[test]
    fn board_takes_names_or_all() {
        let parse = |args: &[&str]| Cli::try_parse_from([&["cargo xtask", "board"], args].concat());
        assert!(parse(&["cortex-m4"]).is_ok());
        assert!(parse(&["--all", "--dtype", "i8", "--model", "lstm-1x16"]).is_ok());
        assert!(parse(&["--list"]).is_ok());
        assert!(parse(&[]).is_err());
        assert!(parse(&["cortex-m4", "--all"]).is_err());
        assert!(parse(&["--all", "--dtype", "f64"]).is_err());
    }
}
