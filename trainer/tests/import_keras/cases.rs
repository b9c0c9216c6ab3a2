//! Models of several versions of Keras, imported and run, compared with the outputs of Keras.

use std::path::Path;

use embedded_rnn::F32;
use embedded_rnn_trainer::import::keras;
use embedded_rnn_trainer::pack::quantize;
use embedded_rnn_trainer::session::{RunMode, Session};

use crate::golden::{Array, Members, members};

/// The bound, relative to outputs above 1. Measured: 3.52e-6.
const BOUND: f32 = 4.2e-6;

/// The bound of i8 models, as a share of the largest output. Measured: 8.5e-3.
const I8_BOUND: f32 = 0.0102;

/// Returns the largest difference of a model's outputs from those of Keras, masked frames included.
fn difference(file: &[u8], x: &Array, y: &Array) -> anyhow::Result<f32> {
    let imported = keras::read(file.to_vec(), "file")?;
    let model = Session::new(Path::new("model.ernn"), &imported.write::<F32>()?)?;
    let mut worst = 0.0f32;
    for (frames, expected) in x.sequences().zip(y.sequences()) {
        let found = model.predict(frames, RunMode::Sequence)?;
        assert_eq!(found.len(), expected.len());
        let errors = found.iter().zip(expected).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
        worst = errors.fold(worst, f32::max);
    }
    Ok(worst)
}

/// Compares all models of a zip; returns the worst difference, and the failures.
fn compare(version: &str, members: &Members) -> (f32, Vec<String>) {
    let (mut worst, mut wrong) = (0.0f32, Vec::new());
    for (file, bytes) in members.iter().filter(|(file, _)| !file.ends_with(".npy")) {
        let (name, _) = file.rsplit_once('.').unwrap();
        let [x, y] = ["x", "y"].map(|which| Array::read(&members[&format!("{name}.{which}.npy")]));
        match difference(bytes, &x, &y) {
            Ok(difference) if difference < BOUND => worst = worst.max(difference),
            Ok(difference) => wrong.push(format!("{version} {file}: off by {difference:e}")),
            Err(error) => wrong.push(format!("{version} {file}: {error:#}")),
        }
    }
    (worst, wrong)
}

#[test]
fn imported_models_match_keras() {
    // The numbers of models that `make_golden.py` writes.
    for (version, models) in
        [("2.13.1", 11), ("2.15.0", 63), ("3.0.5", 11), ("3.3.3", 11), ("3.8.0", 11), ("3.15.1", 166)]
    {
        let members = members(version);
        let files = members.keys().filter(|file| !file.ends_with(".npy")).count();
        let (worst, wrong) = compare(version, &members);
        println!("{version}: {files} models, worst {worst:e}");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(files, models);
    }
}

/// Checks that layers which are composed of others, or scale their input, are useful in 8 bits too.
#[test]
fn composed_layers_quantize() {
    let members = members("3.15.1");
    for case in ["slopes", "limits", "mean", "arithmetic", "normalized", "convolution"] {
        let imported = keras::read(members[&format!("{case}.keras")].clone(), "file").unwrap();
        let [x, y] = ["x", "y"].map(|which| Array::read(&members[&format!("{case}.{which}.npy")]));
        let sequences: Vec<&[f32]> = x.sequences().collect();
        let quantized = quantize(&imported.network, &imported.meta, &sequences).unwrap();
        let model = Session::new(Path::new("model.i8.ernn"), &quantized.bytes).unwrap();
        let mut all = 0.0f32;
        let largest = y.values.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        for (frames, expected) in sequences.iter().zip(y.sequences()) {
            let found = model.predict(frames, RunMode::Sequence).unwrap();
            let errors = found.iter().zip(expected).map(|(a, b)| (a - b).abs() / largest);
            let worst = errors.fold(0.0, f32::max);
            all = all.max(worst);
            assert!(worst < I8_BOUND, "{case}: off by {worst} of the largest output");
        }
        println!("{case} in i8: {all:.1e} of the largest output");
    }
}

#[test]
fn notes_name_the_layers() {
    let imported = keras::read(members("3.15.1")["stateful.keras"].clone(), "file").unwrap();
    let note = "Stateful: lstm, gru: the state goes on until it is reset, as in Keras; `predict` and `eval` \
                start each sequence at a reset state";
    assert_eq!(imported.notes, [note]);
}
