//! The command `cargo xtask compare`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, ValueEnum};
use xtask::cmd::{Cmd, root, target_dir};

/// Compares the imports of random networks with the engine that made them
///
/// Every network either has the engine's outputs or is rejected by name. The first run installs the engine
/// with pip, in target/compare/ENGINE; the files of a network with other outputs stay in its folder
/// `networks`.
#[derive(Args)]
#[command(after_help = "Example:\n  cargo xtask compare keras --count 1000 --seed 7")]
pub struct Compare {
    /// The engine
    engine: Engine,
    /// Number of networks
    #[arg(long, default_value_t = 100)]
    count: u32,
    /// Seed of the networks
    #[arg(long, default_value_t = 0)]
    seed: u32,
}

/// Engines whose networks are imported.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Engine {
    /// Keras with TensorFlow
    Keras,
    /// ONNX Runtime
    Onnx,
    /// PyTorch
    Pytorch,
}

impl Engine {
    /// Returns the folder of the tests of its importer.
    fn folder(self) -> PathBuf {
        root().join("trainer/tests").join(match self {
            Self::Keras => "import_keras",
            Self::Onnx => "import_onnx",
            Self::Pytorch => "import_pytorch",
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Keras => "keras",
            Self::Onnx => "onnx",
            Self::Pytorch => "pytorch",
        }
    }
}

impl Compare {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        let (folder, own) = (self.engine.folder(), target_dir().join("compare").join(self.engine.name()));
        install(&own, &folder.join("requirements.txt"))?;
        Cmd::cargo().args(["build", "--package", "embedded-rnn-trainer", "--bin", "ernn"]).run()?;
        let script = root().join("trainer/tests/common/compare.py");
        let [ernn, networks] = [target_dir().join("debug/ernn"), own.join("networks")];
        let numbers = [format!("--count={}", self.count), format!("--seed={}", self.seed)];
        Cmd::new(own.join("bin/python")).args([script, folder, ernn, networks]).args(numbers).run()
    }
}

/// Installs the requirements in a virtual environment of their own.
fn install(environment: &Path, requirements: &Path) -> Result<()> {
    if !environment.join("bin/pip").exists() {
        Cmd::new("python3").args(["-m", "venv"]).args([environment]).run()?;
    }
    let install = ["install", "--quiet", "--disable-pip-version-check", "--requirement"];
    Cmd::new(environment.join("bin/pip")).args(install).args([requirements]).run()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_has_its_networks_and_its_requirements() {
        for engine in Engine::value_variants() {
            for file in ["random_nets.py", "requirements.txt"] {
                assert!(engine.folder().join(file).is_file(), "{}: {file}", engine.name());
            }
        }
    }
}
