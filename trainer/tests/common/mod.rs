//! Running `ernn` from outside.

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

/// What is said on stderr: one line, with exit status 2.
pub fn refusal(folder: &Path, args: &[&str]) -> String {
    let output = output(folder, args);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said.trim_end().strip_prefix("ernn: ").expect("begins with the program").to_owned()
}
