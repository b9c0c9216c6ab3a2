//! The command `cargo xtask python`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use xtask::cmd::{Cmd, root, target_dir, which};

use crate::commands::delegate;

/// Builds the wheel of the Python package, installs it in a fresh environment, and tests it
///
/// The tests replay the conformance vectors of the boards; the stubs are compared with the module, and the
/// example of docs/python.md is run. `--requirements` installs more: with Keras, the import from memory is
/// tested, with Ray the search of docs/scale.md.
#[derive(Args, Default)]
#[command(after_help = "Example:\n  cargo xtask python\n  \
                  cargo xtask python --requirements bindings/python/requirements-keras.txt")]
pub struct Python {
    /// Further requirements to install
    #[arg(long, value_name = "FILE")]
    requirements: Vec<PathBuf>,
}

/// The largest wheel, in bytes.
const MOST_BYTES: u64 = 10_000_000;

/// The folder of the package.
const FOLDER: &str = "bindings/python";

impl Python {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        let remark = self.run_in(&Environment::fresh()?)?;
        println!("python: {remark}");
        Ok(())
    }

    /// Builds and tests in an environment; returns a remark on the wheel.
    pub fn run_in(self, environment: &Environment) -> Result<String> {
        for file in &self.requirements {
            environment.pip().args(["--requirement"]).args([file]).run()?;
        }
        delegate::run("xtask-boards", "vectors").run()?;
        let wheel = environment.build()?;
        let bytes = fs::metadata(&wheel)?.len();
        ensure!(bytes < MOST_BYTES, "{}: {bytes} bytes, at most {MOST_BYTES}", wheel.display());
        environment.pip().args([&wheel]).run()?;
        environment.test()?;
        Ok(format!("a wheel of {bytes} bytes"))
    }
}

/// Returns why there can be no environment on this machine, if a program is missing.
pub fn missing() -> Option<&'static str> {
    if which("python3").is_none() {
        return Some("python3 is not installed");
    }
    let has_venv = Cmd::new("python3").args(["-c", "import venv, ensurepip"]).output().is_some();
    if has_venv { None } else { Some("python3 has no venv") }
}

/// A virtual environment with the tools of the tests.
pub struct Environment(PathBuf);

impl Environment {
    /// Makes the environment anew and installs the tools.
    ///
    /// # Errors
    /// PyPI is out of reach.
    pub fn fresh() -> Result<Self> {
        let folder = target_dir().join("python/venv");
        Cmd::new("python3").args(["-m", "venv", "--clear"]).args([&folder]).run()?;
        let environment = Self(folder);
        let requirements = root().join(FOLDER).join("requirements.txt");
        environment.pip().args(["--requirement"]).args([requirements]).run()?;
        Ok(environment)
    }

    /// Creates the command that runs Python of the environment, in the folder of the package.
    fn python(&self) -> Cmd {
        Cmd::new(self.0.join("bin/python")).dir(root().join(FOLDER))
    }

    fn pip(&self) -> Cmd {
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        // In the root, to which the paths of requirements are relative.
        self.python().args(install).dir(root())
    }

    /// Builds the only wheel of a folder.
    fn build(&self) -> Result<PathBuf> {
        let (wheels, target) = (target_dir().join("python/wheels"), target_dir().join("python"));
        if wheels.exists() {
            fs::remove_dir_all(&wheels)?;
        }
        let build = ["-m", "maturin", "build", "--release", "--locked", "--out"];
        self.python().args(build).args([&wheels]).args(["--target-dir"]).args([target]).run()?;
        only_file(&wheels)
    }

    /// Runs the tests, the checks of types and stubs, and the benchmark.
    fn test(&self) -> Result<()> {
        self.python().args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider"]).run()?;
        let cache = target_dir().join("python/mypy");
        let stubs = ["-m", "mypy.stubtest", "embedded_rnn", "--mypy-config-file", "pyproject.toml"];
        self.python().args(stubs).env("MYPY_CACHE_DIR", &cache).run()?;
        let types = ["-m", "mypy", "--package", "embedded_rnn"];
        self.python().args(types).env("MYPY_CACHE_DIR", &cache).run()?;
        self.python().args(["benches/step.py"]).run()
    }
}

fn only_file(folder: &Path) -> Result<PathBuf> {
    let mut files = fs::read_dir(folder)?;
    let file = files.next().with_context(|| format!("{}: no wheel", folder.display()))??;
    Ok(file.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_has_the_files_that_the_command_reads() {
        let files = ["pyproject.toml", "requirements.txt", "requirements-keras.txt", "benches/step.py"];
        for file in files {
            assert!(root().join(FOLDER).join(file).is_file(), "{file}");
        }
    }
}
