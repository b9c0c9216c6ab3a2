//! Commands that have a crate of their own: it is built when the command runs.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use xtask::cmd::Cmd;

/// Runs `cargo xtask board` with the arguments of this program.
pub fn board() -> Result<ExitCode> {
    run("xtask-boards", "run").args(own_arguments()).delegate()
}

/// Runs `cargo xtask data` with the arguments of this program.
pub fn data() -> Result<ExitCode> {
    run("xtask-data", "provide").args(own_arguments()).delegate()
}

/// Runs `cargo xtask c` with the arguments of this program.
pub fn c() -> Result<ExitCode> {
    run("xtask-c", "run").args(own_arguments()).delegate()
}

/// Runs `cargo xtask dist`.
pub fn dist() -> Result<ExitCode> {
    run("xtask-c", "dist").delegate()
}

/// Runs `cargo xtask flash` with the arguments of this program.
pub fn flash() -> Result<ExitCode> {
    run("xtask-boards", "flash").args(own_arguments()).delegate()
}

/// Creates the command that builds a package and runs one of its subcommands.
pub fn run(package: &str, subcommand: &str) -> Cmd {
    Cmd::cargo().args(["run", "--quiet", "--package", package, "--", subcommand])
}

/// Returns the arguments after the name of the command, which have been parsed before.
fn own_arguments() -> impl Iterator<Item = OsString> {
    std::env::args_os().skip(2)
}
