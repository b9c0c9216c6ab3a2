//! Wrapper of the compiler that makes an image independent of the folder in which it is built.
//!
//! Cargo derives `-C metadata` of a crate outside the firmware's workspace, as the runtime is, from its
//! absolute path. The symbols of the crate are named after it, and the optimizer visits functions in the
//! order of their names, so it inlines differently in another folder: 6,298 or 6,337 instructions per step
//! were counted for the same GRU on Cortex-M55. The wrapper replaces the metadata of the project's crates by
//! the name of the crate.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use xtask::cmd::Cmd;

/// Variable that makes this program the wrapper.
const VARIABLE: &str = "BOARD_RUSTC_WRAPPER";

/// Prefix of the names of the project's packages.
const PREFIX: &str = "embedded-rnn";

/// Makes Cargo call this program in place of the compiler.
pub fn wrap(cargo: Cmd) -> Result<Cmd> {
    let this = std::env::current_exe().context("the path of this program")?;
    Ok(cargo.env("RUSTC_WRAPPER", this).env(VARIABLE, "1"))
}

/// Runs the compiler of the arguments, if Cargo called this program as its wrapper.
pub fn run_wrapped() -> Option<ExitCode> {
    std::env::var_os(VARIABLE)?;
    let mut arguments = std::env::args_os().skip(1);
    let rustc = arguments.next()?;
    let name = match std::env::var("CARGO_PKG_NAME") {
        Ok(package) if package.starts_with(PREFIX) => std::env::var("CARGO_CRATE_NAME").ok(),
        _ => None,
    };
    let status = Command::new(&rustc)
        .args(arguments.map(|argument| renamed(argument, name.as_deref())))
        .env_remove(VARIABLE)
        .status();
    Some(match status {
        Ok(status) => status.code().map_or(ExitCode::FAILURE, |code| ExitCode::from(code as u8)),
        Err(error) => {
            eprintln!("error: {}: {error}", rustc.display());
            ExitCode::FAILURE
        }
    })
}

/// Returns the argument, with the crate's name as its metadata.
fn renamed(argument: OsString, name: Option<&str>) -> OsString {
    match (name, argument.to_str()) {
        (Some(name), Some(text)) if text.starts_with("metadata=") => format!("metadata={name}").into(),
        _ => argument,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_metadata_of_the_project_is_replaced() {
        let of = |argument: &str, name| renamed(argument.into(), name);
        assert_eq!(of("metadata=0123abcd", Some("check")), "metadata=check");
        assert_eq!(of("metadata=0123abcd", None), "metadata=0123abcd");
        assert_eq!(of("extra-filename=-0123abcd", Some("check")), "extra-filename=-0123abcd");
    }
}
