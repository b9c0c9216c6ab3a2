//! Running other programs: every command is echoed before it runs, so that a reader of the log can repeat it.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// A command line that prints itself before it runs.
pub struct Cmd {
    command: Command,
    settings: Vec<String>,
}

impl Cmd {
    /// `program`, looked up on the PATH, in the workspace's root.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.current_dir(root());
        Self { command, settings: Vec::new() }
    }

    /// The cargo that runs this program.
    pub fn cargo() -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable for the command.
    pub fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.settings.push(format!("{key}={}", quote(value.as_ref())));
        self.command.env(key, value);
        self
    }

    /// Removes a variable for the command.
    pub fn env_remove(mut self, key: &str) -> Self {
        self.command.env_remove(key);
        self
    }

    /// Runs in `dir` instead of the workspace's root.
    pub fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// The line that a shell would take.
    pub fn line(&self) -> String {
        let program = Path::new(self.command.get_program());
        let program = program.file_name().unwrap_or(program.as_os_str());
        let words = std::iter::once(program).chain(self.command.get_args()).map(quote);
        self.settings.iter().cloned().chain(words).collect::<Vec<_>>().join(" ")
    }

    /// Echoes and runs; a status other than success is an error.
    pub fn run(mut self) -> Result<()> {
        let line = self.line();
        eprintln!("$ {line}");
        let status = self.command.status().with_context(|| format!("`{line}` does not start"))?;
        if !status.success() {
            bail!("`{line}` ended with {status}");
        }
        Ok(())
    }

    /// Echoes and runs with its output kept: the inner error is a command that failed, with what it said.
    pub fn run_captured(mut self) -> Result<std::result::Result<(), Failed>> {
        let line = self.line();
        eprintln!("$ {line}");
        let output = self.command.output().with_context(|| format!("`{line}` does not start"))?;
        if output.status.success() {
            return Ok(Ok(()));
        }
        Ok(Err(Failed { line, stderr: String::from_utf8_lossy(&output.stderr).into_owned() }))
    }

    /// Runs quietly; its standard output, or `None` if it did not start or failed.
    pub fn output(mut self) -> Option<String> {
        let output = self.command.output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

/// A command that failed.
#[derive(Debug)]
pub struct Failed {
    line: String,
    /// What it said.
    pub stderr: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The line above was echoed already; its first complaint makes the better headline.
        let complaint = self.stderr.lines().find(|line| line.contains("error")).unwrap_or(&self.line);
        write!(f, "{complaint}\n{}", self.stderr)
    }
}

impl std::error::Error for Failed {}

fn quote(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into_owned() } else { format!("'{word}'") }
}

/// The workspace's root. Cargo says at run time which package it runs: with a shared target folder, this program may
/// have been built in another checkout.
pub fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).parent().expect("xtask lies in the workspace").to_path_buf()
}

/// The program's full path, if it is on the PATH.
pub fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}

/// What went wrong so far: a run goes on after a failure and lists them all at its end, a line each.
#[derive(Default)]
pub struct Failures(Vec<String>);

impl Failures {
    /// Keeps the error, if it is one, under the name of what failed.
    pub fn note<T>(&mut self, what: &str, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                eprintln!("error: {what}: {error:#}");
                let message = format!("{error:#}");
                self.0.push(format!("{what}: {}", message.lines().next().unwrap_or_default()));
                None
            }
        }
    }

    /// Success, or one error that lists all of them.
    pub fn finish(self) -> Result<()> {
        match self.0.len() {
            0 => Ok(()),
            n => bail!("{n} failed:\n  {}", self.0.join("\n  ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_echo_is_what_a_shell_takes() {
        let cmd = Cmd::new("/usr/bin/cargo").args(["build", "a b"]).env("X", "1 2");
        assert_eq!(cmd.line(), "X='1 2' cargo build 'a b'");
    }

    #[test]
    fn a_failing_command_is_an_error_that_names_it() {
        let error = Cmd::new("false").run().unwrap_err().to_string();
        assert!(error.contains("`false` ended with"), "{error}");
        let error = format!("{:#}", Cmd::new("no-such-program").run().unwrap_err());
        assert!(error.contains("`no-such-program` does not start"), "{error}");
    }

    #[test]
    fn what_a_captured_command_said_is_its_error() {
        let cmd = Cmd::new("sh").args(["-c", "echo building; echo 'error: no' >&2; exit 1"]);
        let failed = cmd.run_captured().unwrap().unwrap_err();
        assert_eq!(failed.to_string(), "error: no\nerror: no\n");
        assert!(Cmd::new("true").run_captured().unwrap().is_ok());
    }

    #[test]
    fn failures_are_all_listed() {
        let mut failures = Failures::default();
        assert_eq!(failures.note("a", Ok(1)), Some(1));
        assert_eq!(failures.note::<()>("b", Err(anyhow::anyhow!("x"))), None);
        assert_eq!(failures.note::<()>("c", Err(anyhow::anyhow!("y"))), None);
        assert_eq!(failures.finish().unwrap_err().to_string(), "2 failed:\n  b: x\n  c: y");
    }
}
