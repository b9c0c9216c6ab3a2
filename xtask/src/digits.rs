//! The spoken-digit example: trained when its files are newer than the model, with its own test recordings.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};
use embedded_rnn::{F16, F32, I8, Model};
use embedded_rnn_trainer::data::{Data, Sequences};
use embedded_rnn_trainer::pack::{AlignedBytes, read_float, write_float};

use crate::cmd::{Cmd, root};
use crate::exam::Recordings;
use crate::nets::DType;

const CONFIG: &str = "trainer/examples/digits/digits.toml";
const DATA: &str = "trainer/examples/digits/digits.npz";

/// The model file's bytes and the test recordings in its kind of numbers.
pub fn prepare(dtype: DType) -> Result<(Vec<u8>, Recordings)> {
    let folder = root().join("target/boards/digits");
    let model_i8 = folder.join("model.i8.ernn");
    if !is_up_to_date(&model_i8, &[CONFIG, DATA].map(|file| root().join(file))) {
        let ernn = ["run", "--release", "--package", "embedded-rnn-trainer", "--bin", "ernn", "--"];
        Cmd::cargo().args(ernn).args(["train", CONFIG, "--out", "target/boards/digits"]).run()?;
    }
    let test = Data::read(&root().join(DATA))?.test.context("the digits have a test set")?.sequences;
    let read = |file: &Path| fs::read(file).with_context(|| file.display().to_string());
    Ok(match dtype {
        DType::F32 => (read(&folder.join("model.ernn"))?, Recordings::F32(each(&test, <[f32]>::to_vec))),
        DType::F16 => {
            let (network, meta) = read_float::<F32>(&AlignedBytes::new(&read(&folder.join("model.ernn"))?))?;
            let bytes = write_float::<F16>(&network, &meta, test.get(0))?;
            (bytes, Recordings::F16(each(&test, <[f32]>::to_vec)))
        }
        DType::I8 => {
            let bytes = read(&model_i8)?;
            let aligned = AlignedBytes::new(&bytes);
            let model = Model::<I8>::new(&aligned)?;
            let recordings = each(&test, |x| quantize(&model, x)).into_iter().collect::<Result<_>>()?;
            (bytes, Recordings::I8(recordings))
        }
    })
}

fn each<T>(sequences: &Sequences, convert: impl Fn(&[f32]) -> T) -> Vec<T> {
    (0..sequences.len()).map(|s| convert(sequences.get(s))).collect()
}

/// A recording as the model's integers.
fn quantize(model: &Model<I8>, recording: &[f32]) -> Result<Vec<i16>> {
    let mut integers = vec![0; recording.len()];
    let size = model.input_size();
    for (x, out) in recording.chunks_exact(size).zip(integers.chunks_exact_mut(size)) {
        model.quantize_input(x, out)?;
    }
    Ok(integers)
}

/// There, of a version that this runtime reads, and no older than what it is made of.
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
