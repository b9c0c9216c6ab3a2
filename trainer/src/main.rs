//! The command `ernn`: from data to a packed recurrent network.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use embedded_rnn_trainer::commands::{eval, inspect, predict, quantize, train};

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
    Inspect(inspect::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Train(args) => train::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Quantize(args) => quantize::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Inspect(args) => inspect::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ernn: {}", embedded_rnn_trainer::commands::one_line(&error));
            ExitCode::from(2)
        }
    }
}
