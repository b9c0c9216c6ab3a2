//! Runs the command `ernn`.

use std::path::Path;
use std::process::{Command, Output};

pub fn ernn(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ernn"));
    command.current_dir(folder).args(args);
    command
}

pub fn output(folder: &Path, args: &[&str]) -> Output {
    ernn(folder, args).output().unwrap()
}

/// Runs a command that fails with exit status 2, and returns the single line on stderr, without the prefix.
pub fn error_line(folder: &Path, args: &[&str]) -> String {
    let output = output(folder, args);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    error.trim_end().strip_prefix("ernn: ").expect("begins with the program").to_owned()
}
