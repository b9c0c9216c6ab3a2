//! The examples of the trainer as networks for the boards: trained when their files are newer than the model,
//! and run on their own test sequences.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};
use embedded_rnn::{F16, F32, I8, Model};
use embedded_rnn_trainer::config::Config;
use embedded_rnn_trainer::data::{Data, Sequences};
use embedded_rnn_trainer::pack::{AlignedBytes, read_float, write_float};
use xtask::args::DType;
use xtask::cmd::{Cmd, root};

use crate::vectors::TestVectors;

/// An example of the trainer.
pub struct Example {
    /// Path of the config from `trainer/examples`, without `.toml`.
    pub config: &'static str,
    /// Limit of the training epochs: neither instruction counts nor equality depend on the accuracy of a
    /// network.
    pub epochs: usize,
    /// Limit of the test sequences that run.
    pub sequences: usize,
}

impl Example {
    /// Returns the data file if it is missing: `cargo xtask data` fetches those that are not in the tree.
    pub fn missing(&self) -> Result<Option<PathBuf>> {
        let data = self.read()?.data_file(&self.path());
        Ok((!data.is_file()).then_some(data))
    }

    fn path(&self) -> PathBuf {
        root().join("trainer/examples").join(self.config).with_extension("toml")
    }

    fn read(&self) -> Result<Config> {
        Config::read(&self.path())
    }

    /// Returns the model file and the test vectors in one dtype.
    pub fn prepare(&self, dtype: DType) -> Result<(Vec<u8>, TestVectors)> {
        let config = self.read()?;
        let data = config.data_file(&self.path());
        let folder = root().join("target/boards/examples").join(self.config);
        let model_i8 = folder.join("model.i8.ernn");
        if !is_up_to_date(&model_i8, &[self.path(), data.clone()]) {
            self.train(config, &data, &folder)?;
        }
        let (Data { test, .. }, _) = self.read()?.read_data(&self.path())?;
        let test = test.context("no test part")?.sequences;
        let read = |file: &Path| fs::read(file).with_context(|| file.display().to_string());
        let float = folder.join("model.ernn");
        let (bytes, vectors) = match dtype {
            DType::F32 => (read(&float)?, TestVectors::F32(each(&test, <[f32]>::to_vec))),
            DType::F16 => {
                let (network, meta) = read_float::<F32>(&AlignedBytes::new(&read(&float)?))?;
                let bytes = write_float::<F16>(&network, &meta, test.get(0))?;
                (bytes, TestVectors::F16(each(&test, <[f32]>::to_vec)))
            }
            DType::I8 => {
                let bytes = read(&model_i8)?;
                let aligned = AlignedBytes::new(&bytes);
                let model = Model::<I8>::new(&aligned)?;
                let vectors = each(&test, |x| quantize(&model, x)).into_iter().collect::<Result<_>>()?;
                (bytes, TestVectors::I8(vectors))
            }
        };
        Ok((bytes, vectors.first(self.sequences)))
    }

    fn train(&self, mut config: Config, data: &Path, folder: &Path) -> Result<()> {
        config.training.epochs = config.training.epochs.min(self.epochs);
        config.data.file = data.to_owned();
        fs::create_dir_all(folder)?;
        let file = folder.join("config.toml");
        fs::write(&file, toml::to_string(&config)?).with_context(|| file.display().to_string())?;
        let ernn = ["run", "--release", "--package", "embedded-rnn-trainer", "--bin", "ernn", "--", "train"];
        Cmd::cargo().args(ernn).args([&file]).args(["--out"]).args([folder]).run()
    }
}

fn each<T>(sequences: &Sequences, convert: impl Fn(&[f32]) -> T) -> Vec<T> {
    (0..sequences.len()).map(|s| convert(sequences.get(s))).collect()
}

/// Quantizes a sequence to the integers of the model.
fn quantize(model: &Model<I8>, sequence: &[f32]) -> Result<Vec<i16>> {
    let mut integers = vec![0; sequence.len()];
    let size = model.input_size();
    for (x, out) in sequence.chunks_exact(size).zip(integers.chunks_exact_mut(size)) {
        model.quantize_input(x, out)?;
    }
    Ok(integers)
}

/// Returns whether the model exists, this runtime reads its version, and no source is newer.
fn is_up_to_date(model: &Path, sources: &[PathBuf]) -> bool {
    let modified = |file: &Path| -> Option<SystemTime> { fs::metadata(file).ok()?.modified().ok() };
    let Some(made) = modified(model) else { return false };
    let readable = fs::read(model).is_ok_and(|bytes| Model::<I8>::new(&AlignedBytes::new(&bytes)).is_ok());
    readable && sources.iter().all(|source| modified(source).is_some_and(|changed| changed <= made))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_foreign_model_is_not_up_to_date() {
        assert!(!is_up_to_date(Path::new("/no/such/model"), &[]));
        assert!(!is_up_to_date(&std::env::current_exe().unwrap(), &[]));
    }
}
