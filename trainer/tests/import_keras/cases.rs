//! Models of several versions of Keras, imported and run: their answers are Keras's.

use std::path::Path;

use embedded_rnn::F32;
use embedded_rnn_trainer::import::keras;
use embedded_rnn_trainer::session::{ModelFile, RunMode};

use crate::golden::{Array, Members, members};

/// Of the larger of 1 and the answer. Measured: 3.52e-6.
const MOST: f32 = 4.2e-6;

/// How far the answers of a model are from Keras's, those to masked frames too.
fn distance(file: &[u8], x: &Array, y: &Array) -> anyhow::Result<f32> {
    let imported = keras::read(file.to_vec(), "file")?;
    let model = ModelFile::new(Path::new("model.ernn"), &imported.write::<F32>()?);
    let model = model.deploy()?;
    let mut worst = 0.0f32;
    for (frames, expected) in x.sequences().zip(y.sequences()) {
        let found = model.predict(frames, RunMode::Sequence)?;
        assert_eq!(found.len(), expected.len());
        let errors = found.iter().zip(expected).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
        worst = errors.fold(worst, f32::max);
    }
    Ok(worst)
}

/// Compares all models in a zip; gives the worst distance, and what is wrong.
fn compare(version: &str, members: &Members) -> (f32, Vec<String>) {
    let (mut worst, mut wrong) = (0.0f32, Vec::new());
    for (file, bytes) in members.iter().filter(|(file, _)| !file.ends_with(".npy")) {
        let (name, _) = file.rsplit_once('.').unwrap();
        let [x, y] = ["x", "y"].map(|which| Array::read(&members[&format!("{name}.{which}.npy")]));
        match distance(bytes, &x, &y) {
            Ok(distance) if distance < MOST => worst = worst.max(distance),
            Ok(distance) => wrong.push(format!("{version} {file}: off by {distance:e}")),
            Err(error) => wrong.push(format!("{version} {file}: {error:#}")),
        }
    }
    (worst, wrong)
}

#[test]
fn answers_are_those_of_keras() {
    // As many models as `make_golden.py` makes.
    for (version, models) in
        [("2.13.1", 11), ("2.15.0", 22), ("3.0.5", 11), ("3.3.3", 11), ("3.8.0", 11), ("3.15.1", 121)]
    {
        let members = members(version);
        let files = members.keys().filter(|file| !file.ends_with(".npy")).count();
        let (worst, wrong) = compare(version, &members);
        println!("{version}: {files} models, worst {worst:e}");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(files, models);
    }
}
