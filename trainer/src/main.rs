//! The command `ernn`: from data to a packed recurrent network.

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use embedded_rnn_trainer::commands::{eval, generate, import, inspect, predict, quantize, train};
use embedded_rnn_trainer::output::one_line;

/// Trains recurrent networks and packs them for microcontrollers and edge CPUs.
#[derive(Parser)]
#[command(name = "ernn", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Train(train::Args),
    Eval(eval::Args),
    Quantize(quantize::Args),
    Predict(predict::Args),
    Generate(generate::Args),
    Import(import::Args),
    Inspect(inspect::Args),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    let outcome = match cli.command {
        Command::Train(args) => train::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Quantize(args) => quantize::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Inspect(args) => inspect::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ernn: {}", one_line(&error));
            ExitCode::from(2)
        }
    }
}

/// Help is printed as it is; of a mistake in the arguments the first paragraph, on one line as every error.
fn explain(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // Nothing is left to say it to if this fails.
        _ = error.print();
        return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
    }
    let text = error.to_string();
    let reason = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    eprintln!("ernn: {}; --help says more", one_line(&anyhow::Error::msg(reason)));
    ExitCode::from(2)
}
