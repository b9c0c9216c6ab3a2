//! Networks of Keras 3.15.1 that begin with a BatchNormalization, in `normalized.zip.gz`.
//!
//! `units`: an accelerometer beside a gyroscope, the features of a GRU. `pressure`: a feature of 101,325 Pa
//! with a deviation of 5 Pa, before an LSTM. `y` is computed in binary64 by NumPy.

use std::path::Path;

use embedded_rnn::F32;
use embedded_rnn_trainer::import::keras;
use embedded_rnn_trainer::pack::{Quantized, quantize, read_float};
use embedded_rnn_trainer::session::{RunMode, Session};

use crate::golden::{Array, Members, members};

/// Returns the f32 file of an imported model.
fn imported(members: &Members, name: &str) -> Vec<u8> {
    let file = members[&format!("{name}.keras")].clone();
    keras::read(file, name).unwrap().write::<F32>().unwrap()
}

/// Returns the worst and the mean difference of a model's outputs from the expected ones.
fn differences(members: &Members, name: &str, bytes: &[u8]) -> (f32, f32) {
    let [x, y] = ["x", "y"].map(|which| Array::read(&members[&format!("{name}.{which}.npy")]));
    let model = Session::new(Path::new(name), bytes).unwrap();
    let mut errors = Vec::new();
    for (frames, expected) in x.sequences().zip(y.sequences()) {
        let found = model.predict(frames, RunMode::Sequence).unwrap();
        assert_eq!(found.len(), expected.len());
        errors.extend(found.iter().zip(expected).map(|(a, b)| (a - b).abs()));
    }
    let mean = errors.iter().sum::<f32>() / errors.len() as f32;
    (errors.into_iter().fold(0.0, f32::max), mean)
}

/// Quantizes an f32 file, calibrated on the sequences of an array, as `ernn quantize` does.
fn quantized(file: &[u8], calibration: &Array) -> Vec<u8> {
    let (network, meta) = read_float::<F32>(file).unwrap();
    let sequences: Vec<&[f32]> = calibration.sequences().collect();
    let Quantized { bytes, .. } = quantize(&network, &meta, &sequences).unwrap();
    bytes
}

/// The errors of i8 are 0.0259 at worst and 0.00607 in the mean; 0.121 in the mean if the normalization is
/// folded into the weights.
#[test]
fn the_weights_do_not_contain_the_units_of_the_inputs() {
    let members = members("normalized");
    let file = imported(&members, "units");
    let (worst, _) = differences(&members, "units", &file);
    assert!(worst < 1e-6, "{worst:e}");
    let integers = quantized(&file, &Array::read(&members["units.calibrate.npy"]));
    let (worst, mean) = differences(&members, "units", &integers);
    println!("i8: worst {worst}, mean {mean}");
    assert!(worst < 0.0311 && mean < 0.0073, "{worst}, mean {mean}");
}

/// Keras itself differs by 2.8e-5 from binary64.
#[test]
fn a_mean_far_above_the_deviation_takes_no_digits() {
    let members = members("normalized");
    let file = imported(&members, "pressure");
    let (worst, _) = differences(&members, "pressure", &file);
    println!("f32: worst {worst:e}");
    assert!(worst < 5e-7, "{worst:e}");
    let integers = quantized(&file, &Array::read(&members["pressure.x.npy"]));
    let (worst, mean) = differences(&members, "pressure", &integers);
    println!("i8: worst {worst}, mean {mean}");
    assert!(worst < 0.0098 && mean < 0.00095, "{worst}, mean {mean}");
}
