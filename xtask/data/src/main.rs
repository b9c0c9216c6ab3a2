//! `xtask-data`: data sets of the examples and third-party models of the tests. `cargo xtask data` runs it.
//!
//! A new data set is a row of [`sets::SETS`] and a module like [`seglearn`]; a new model is a row of
//! [`third_party::MODELS`].

mod cmudict;
mod digits8x8;
mod name2nat;
mod npz;
mod package;
mod seglearn;
mod set;
mod sets;
mod third_party;
mod words;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use xtask::args::DataArgs;
use xtask::cmd::{Failures, root};
use xtask::table::Table;

use set::Set;

/// Data sets and third-party models; `cargo xtask data` runs it
#[derive(Parser)]
#[command(name = "xtask-data")]
enum Command {
    Provide(DataArgs),
    /// Fetches all that is not in the tree, and reports the registries that cannot be reached
    #[command(after_help = "Example:\n  cargo run --package xtask-data -- fetch")]
    Fetch,
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Provide(args) => run(&args),
        Command::Fetch => {
            fetch();
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &DataArgs) -> Result<()> {
    if args.list {
        print!("{}", list());
        return Ok(());
    }
    let Some(name) = &args.name else {
        let mut failures = Failures::default();
        for set in sets::all() {
            failures.note(set.name, provide(set));
        }
        return failures.finish();
    };
    let set = sets::all().find(|set| set.name == name);
    provide(set.with_context(|| format!("no data set `{name}`: see `cargo xtask data --list`"))?)
}

/// Fetches what the tree lacks. A registry out of reach is no failure: tests and boards report what they
/// skip.
fn fetch() {
    for set in sets::all().filter(|set| !set.shipped) {
        match set.provide() {
            Ok(done) => println!("{}: {done}", set.name),
            Err(error) => println!("skipped: {}: {error:#}", set.name),
        }
    }
}

fn provide(set: &Set) -> Result<()> {
    let done = set.provide().with_context(|| set.name)?;
    println!("{}: {done}", set.name);
    Ok(())
}

fn list() -> String {
    let mut table = Table::new(&["data set", "file", "state", "made from"]);
    for set in sets::all() {
        let state = match (set.shipped, root().join(set.path()).exists()) {
            (true, true) => "in the tree",
            (false, true) => "present",
            (_, false) => "missing",
        };
        table.row(vec![set.name.into(), set.path().display().to_string(), state.into(), set.package.spec()]);
    }
    table.to_string()
}
