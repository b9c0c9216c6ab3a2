//! Models whose outputs overflow: `ernn predict`, `ernn eval` and `ernn generate` warn.

use std::fs;

use embedded_rnn::F32;
use embedded_rnn_trainer::net::Network;
use embedded_rnn_trainer::pack::{Meta, write_float};
use tempfile::TempDir;

use crate::arrays::{integers, write_frames, write_integers, write_npz};
use crate::common::output;
use crate::models::{encoder_decoder, random};

/// Multiplies the weights of the last layer, so that its outputs overflow for all inputs but 0.
fn folder((mut network, mut frames): (Network<f32>, Vec<f32>)) -> TempDir {
    let mut parameters = network.parameters_mut();
    let weights = parameters.len() - 2;
    parameters[weights].fill(3e38);
    frames.fill(0.0);
    let folder = tempfile::tempdir().unwrap();
    let bytes = write_float::<F32>(&network, &Meta::default(), &frames).unwrap();
    fs::write(folder.path().join("m.ernn"), bytes).unwrap();
    folder
}

/// Runs a command that succeeds, and returns its standard error.
fn stderr(folder: &TempDir, args: &[&str]) -> String {
    let output = output(folder.path(), args);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{args:?}: {error}");
    error
}

#[test]
fn outputs_that_are_not_finite_are_counted() {
    let folder = folder(random("{ type = 'Dense', units = 2 }", 2, 1));
    let predict = ["predict", "m.ernn", "--input", "x.npy", "--output", "y.npy"];
    write_frames(folder.path(), &[3, 1, 2], &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    assert_eq!(stderr(&folder, &predict), "warning: m.ernn: 2 of 6 outputs are not finite\n");
    write_frames(folder.path(), &[3, 1, 2], &[0.0; 6]);
    assert_eq!(stderr(&folder, &predict), "");

    let floats = |values: &[f32]| {
        let path = folder.path().join("f.npy");
        embedded_rnn_trainer::data::write_npy(&path, &[values.len() / 2, 1, 2], values).unwrap();
        fs::read(path).unwrap()
    };
    let arrays = [("x", floats(&[0.0, 0.0, 1.0, 1.0])), ("y", floats(&[0.0; 4]))];
    write_npz(&folder.path().join("d.npz"), &arrays);
    let eval = ["eval", "m.ernn", "--data", "d.npz"];
    assert_eq!(stderr(&folder, &eval), "warning: m.ernn: 2 of 4 outputs are not finite\n");
}

/// An encoder-decoder generates classes even of probabilities that are NaN.
#[test]
fn probabilities_behind_generated_classes_are_counted() {
    let folder = folder(encoder_decoder(true, 185));
    write_integers(&folder.path().join("x.npy"), &[1, 4], &[1, 2, 3, 4]);
    let predict = ["predict", "m.ernn", "--input", "x.npy", "--output", "y.npy", "--steps", "1"];
    let error = stderr(&folder, &predict);
    assert!(
        error.starts_with("warning: m.ernn: ") && error.ends_with(" outputs are not finite\n"),
        "{error}"
    );
    let generate = ["generate", "m.ernn", "--input", "x.npy", "--steps", "1", "--count", "2"];
    let error = stderr(&folder, &generate);
    assert!(
        error.starts_with("warning: m.ernn: ") && error.ends_with(" of 10 outputs are not finite\n"),
        "{error}"
    );
    let pair = [("x", vec![1, 4]), ("y", vec![1, 1]), ("len", vec![1]), ("len_y", vec![1])];
    let arrays = pair.map(|(name, shape)| {
        let values: Vec<i64> = if name == "len" { vec![4] } else { vec![1; shape.iter().product()] };
        (name, integers(&shape, &values))
    });
    write_npz(&folder.path().join("d.npz"), &arrays);
    let error = stderr(&folder, &["eval", "m.ernn", "--data", "d.npz"]);
    assert!(error.starts_with("warning: m.ernn: ") && error.ends_with(" of 10 outputs are not finite\n"));
}
