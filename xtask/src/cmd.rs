//! Running other programs. Every command is echoed before it runs, so that a reader of the log can repeat it.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

/// A command line that prints itself before it runs.
pub struct Cmd {
    command: Command,
    settings: Vec<String>,
}

impl Cmd {
    /// Creates a command that runs `program`, found on the PATH, in the workspace's root.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.current_dir(root());
        Self { command, settings: Vec::new() }
    }

    /// Creates a command that runs the cargo that started this program.
    pub fn cargo() -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets an environment variable of the command.
    pub fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.settings.push(format!("{key}={}", quote(value.as_ref())));
        self.command.env(key, value);
        self
    }

    /// Removes an environment variable of the command.
    pub fn env_remove(mut self, key: &str) -> Self {
        self.command.env_remove(key);
        self
    }

    /// Runs in `dir` instead of the workspace's root.
    pub fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Returns the command as a line for a shell.
    pub fn line(&self) -> String {
        let program = Path::new(self.command.get_program());
        let program = program.file_name().unwrap_or(program.as_os_str());
        let words = std::iter::once(program).chain(self.command.get_args()).map(quote);
        self.settings.iter().cloned().chain(words).collect::<Vec<_>>().join(" ")
    }

    /// Echoes and runs the command. Any exit status but success is an error.
    pub fn run(mut self) -> Result<()> {
        let line = self.line();
        eprintln!("$ {line}");
        let status = self.command.status().with_context(|| format!("`{line}` does not start"))?;
        if !status.success() {
            bail!("`{line}` ended with {status}");
        }
        Ok(())
    }

    /// Echoes and runs the command, and writes its output into a file. Any exit status but success is an
    /// error.
    pub fn run_logged(mut self, log: &Path) -> Result<()> {
        let file = File::create(log).with_context(|| log.display().to_string())?;
        self.command.stdout(file.try_clone()?).stderr(file);
        self.run()
    }

    /// Echoes and runs the command in the place of this program, whose exit status becomes that of the
    /// command.
    pub fn delegate(mut self) -> Result<ExitCode> {
        let line = self.line();
        eprintln!("$ {line}");
        let status = self.command.status().with_context(|| format!("`{line}` does not start"))?;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
    }

    /// Echoes and runs the command, and captures its output. The inner error is a command that failed.
    pub fn run_captured(mut self) -> Result<std::result::Result<(), Failed>> {
        let line = self.line();
        eprintln!("$ {line}");
        let output = self.command.output().with_context(|| format!("`{line}` does not start"))?;
        if output.status.success() {
            return Ok(Ok(()));
        }
        Ok(Err(Failed { line, stderr: String::from_utf8_lossy(&output.stderr).into_owned() }))
    }

    /// Runs the command quietly and returns its standard output, or `None` if it did not start or failed.
    pub fn output(mut self) -> Option<String> {
        let output = self.command.output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

/// A command that failed.
#[derive(Debug)]
pub struct Failed {
    line: String,
    /// Its standard error output.
    pub stderr: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The command was echoed already, so its first error makes the better headline.
        let first = self.stderr.lines().find(|line| line.contains("error")).unwrap_or(&self.line);
        write!(f, "{first}\n{}", self.stderr)
    }
}

impl std::error::Error for Failed {}

fn quote(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into_owned() } else { format!("'{word}'") }
}

/// Returns the workspace's root: the folder above the running package that contains `Cargo.lock`.
///
/// The package is the one that cargo runs, not the one that was compiled: with a shared target folder, this
/// program may have been built in another checkout.
pub fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&package).ancestors().find(|folder| folder.join("Cargo.lock").is_file());
    root.expect("a package of the workspace lies below its lock file").to_path_buf()
}

/// Returns the target folder of the workspace.
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Returns the program's full path if it is on the PATH.
pub fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}

/// Failures of a run that continues after each of them and lists all at its end, one line per failure.
#[derive(Default)]
pub struct Failures(Vec<String>);

impl Failures {
    /// Returns the value, or stores the error under the name of the part that failed.
    pub fn note<T>(&mut self, name: &str, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                eprintln!("error: {name}: {error:#}");
                let message = format!("{error:#}");
                self.0.push(format!("{name}: {}", message.lines().next().unwrap_or_default()));
                None
            }
        }
    }

    /// Returns success, or one error that lists all failures.
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
    fn the_echo_is_a_line_for_a_shell() {
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
    fn a_captured_command_has_its_output_as_the_error() {
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
