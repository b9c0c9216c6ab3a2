//! The command `cargo xtask demo --write`: the model and the recordings of the page in `docs/demo`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use embedded_rnn::AnyModel;
use embedded_rnn_trainer::data::{Data, Dataset, Targets, write_npy};
use xtask::args::DType;
use xtask::cmd::root;

use crate::nets::{Case, NETS};

/// The recordings of the page: the first of each class in the test part that the model recognizes.
const RECORDINGS: [(&str, u32); 3] = [("three", 3), ("seven", 7), ("nine", 9)];

/// Trains the spoken digits, and writes their i8 model and the recordings.
pub fn run() -> Result<()> {
    let digits = NETS.iter().find(|net| net.name == "digits").context("no net digits")?;
    fs::write(model_file(), Case::prepare(digits, DType::I8)?.model)?;
    println!("Wrote {}", model_file().display());
    for (name, file, frames) in recordings()? {
        write_npy(&file, &[frames.len() / digits.input_size, digits.input_size], &frames)?;
        println!("Wrote {}, a recording of \"{name}\"", file.display());
    }
    Ok(())
}

/// Returns the path of the model, which `cargo xtask flash` takes too.
pub fn model_file() -> PathBuf {
    folder().join("digits.i8.ernn")
}

fn folder() -> PathBuf {
    root().join("docs/demo")
}

/// Returns the name, the file and the frames of each recording.
fn recordings() -> Result<Vec<(&'static str, PathBuf, Vec<f32>)>> {
    let model = AnyModel::read(model_file())?;
    let data = Data::read(&root().join("trainer/examples/digits/digits.npz"), &[])?;
    let test = data.test.context("no test part")?;
    let recording = |(name, class)| {
        let frames = first_recognized(&model, &test, class)?.with_context(|| format!("no {name}"))?;
        Ok((name, folder().join(format!("{name}.npy")), frames.to_vec()))
    };
    RECORDINGS.into_iter().map(recording).collect()
}

/// Returns the first sequence of a class for which the model has its largest output at that class.
fn first_recognized<'t>(model: &AnyModel, test: &'t Dataset, class: u32) -> Result<Option<&'t [f32]>> {
    let Targets::Labels(labels) = &test.targets else { return Ok(None) };
    for (s, _) in labels.iter().enumerate().filter(|(_, label)| **label == class) {
        let frames = test.sequences.get(s);
        let y = model.run(&mut model.state()?, frames)?;
        if embedded_rnn::argmax(&y) == class as usize {
            return Ok(Some(frames));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_rnn_trainer::data::{Values, read_npy};

    #[test]
    fn the_recordings_of_the_page_are_test_data_that_its_model_recognizes() {
        for (name, file, frames) in recordings().unwrap() {
            let array = read_npy(&file).unwrap();
            assert_eq!(array.shape, [frames.len() / 13, 13], "{name}");
            assert!(matches!(array.values, Values::Floats(values) if values == frames), "{name}");
        }
    }

    #[test]
    fn the_model_of_the_page_passes_its_golden_trace() {
        AnyModel::read(model_file()).unwrap().self_test().unwrap();
    }
}
