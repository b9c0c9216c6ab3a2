//! The command `ernn`: parses the arguments, runs the subcommand, and prints errors on one line.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use embedded_rnn_trainer::commands::{
    eval, generate, header, import, init, inspect, predict, quantize, train,
};
use embedded_rnn_trainer::output::one_line;

/// Train recurrent networks, import them, and pack them for microcontrollers and edge CPUs
#[derive(Parser)]
#[command(name = "ernn", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Args),
    Train(train::Args),
    Eval(eval::Args),
    Quantize(quantize::Args),
    Predict(predict::Args),
    Generate(generate::Args),
    Header(header::Args),
    Import(import::Args),
    Inspect(inspect::Args),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    let outcome = match cli.command {
        Command::Init(args) => init::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Quantize(args) => quantize::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Header(args) => header::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Inspect(args) => inspect::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// Prints an error on one line.
fn fail(error: &anyhow::Error) -> ExitCode {
    // A failure to print cannot be reported anywhere.
    _ = writeln!(io::stderr(), "ernn: {}", one_line(error));
    ExitCode::from(2)
}

/// Prints help and version unchanged, and the first paragraph of a usage error on one line, like every error.
fn explain(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let printed = error.print();
        return match printed {
            _ if error.use_stderr() => ExitCode::from(2),
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                fail(&anyhow::Error::new(error).context("stdout"))
            }
            _ => ExitCode::SUCCESS,
        };
    }
    let text = error.to_string();
    let reason = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
    fail(&anyhow::Error::msg(format!("{reason}; see --help")))
}
