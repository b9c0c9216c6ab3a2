//! `cargo xtask`: cross builds, emulated boards and what CI runs. `cargo xtask help` lists the commands.

mod boards;
mod cmd;
mod commands;
mod cross;
mod data;
mod elf;
mod exam;
mod examples;
mod image;
mod needs;
mod nets;
mod qemu;
mod results;
mod table;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use commands::{board::BoardArgs, ci::Ci, data::Data, doctor::Doctor, setup::Setup};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The only door for this project's scripts")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Board(BoardArgs),
    Ci(Ci),
    Data(Data),
    Doctor(Doctor),
    Setup(Setup),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Board(command) => command.run(),
        Command::Ci(command) => command.run(),
        Command::Data(command) => command.run(),
        Command::Doctor(command) => command.run(),
        Command::Setup(command) => command.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
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
