//! The commands `predict`, `eval`, `quantize` and `inspect`, on valid and invalid model files and arrays.

mod common;

use std::fs;
use std::path::Path;

use embedded_rnn::F32;
use embedded_rnn_trainer::activation::Activation;
use embedded_rnn_trainer::data::{Array, Values, read_npy, write_npy};
use embedded_rnn_trainer::layers::{Dense, Kind, Layer, Normalization};
use embedded_rnn_trainer::net::Network;
use embedded_rnn_trainer::pack::{Meta, quantize, random_cell, write_float};
use embedded_rnn_trainer::tensor::Matrix;
use tempfile::TempDir;

use common::{error_line, output};

const FEATURES: usize = 3;
const TIME: usize = 7;
const COUNT: usize = 5;
const OUT: usize = 4;

/// Returns a network of Normalization, LSTM and softmax, and frames for it.
fn network(return_sequences: bool) -> (Network<f32>, Vec<f32>) {
    let hidden = 6;
    let (mut network, frames) = random_cell(("LSTM", ""), (FEATURES, hidden), TIME * COUNT, 5).unwrap();
    let Kind::Recurrent(recurrent) = &mut network.layers[0].kind else { unreachable!("one cell") };
    recurrent.return_sequences = return_sequences;
    let mean = Matrix::from_fn(FEATURES, 1, |k, _| k as f32 * 0.1 - 0.05);
    let normalization = Normalization { mean, variance: Matrix::repeat(FEATURES, 1, 0.5) };
    let dense = Dense {
        weight: Matrix::from_fn(OUT, hidden, |row, k| ((row * hidden + k) as f32).sin()),
        bias: Matrix::from_fn(OUT, 1, |row, _| row as f32 * 0.1),
        activation: Activation::Softmax,
        use_bias: true,
    };
    let layer = |name: &str, kind| Layer { name: name.to_owned(), kind };
    network.layers.insert(0, layer("normalization", Kind::Normalization(normalization)));
    network.layers.push(layer("dense", Kind::Dense(dense)));
    (network, frames)
}

/// Makes a folder with `m.ernn`, `m.i8.ernn`, and inputs `x.npy` for both.
fn folder(return_sequences: bool) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (network, frames) = network(return_sequences);
    let meta = Meta {
        name: "mine".to_owned(),
        labels: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
        ..Meta::default()
    };
    let sequences: Vec<&[f32]> = frames.chunks(TIME * FEATURES).collect();
    let write = |name: &str, bytes| fs::write(folder.path().join(name), bytes).unwrap();
    write("m.ernn", write_float::<F32>(&network, &meta, &frames).unwrap());
    write("m.i8.ernn", quantize(&network, &meta, &sequences).unwrap().bytes);
    write_npy(&folder.path().join("x.npy"), &[COUNT, TIME, FEATURES], &frames).unwrap();
    folder
}

/// Writes an array of integers.
fn write_integers(path: &Path, values: &[i64]) {
    let header = format!("{{'descr': '<i8', 'fortran_order': False, 'shape': ({},), }}", values.len());
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    values.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
    fs::write(path, bytes).unwrap();
}

fn predict(folder: &Path, model: &str, more: &[&str]) -> (Vec<usize>, Vec<f32>) {
    let mut args = vec!["predict", model, "--input", "x.npy", "--output", "y.npy"];
    args.extend(more);
    let output = output(folder, &args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let Array { shape, values: Values::Floats(values) } = read_npy(&folder.join("y.npy")).unwrap() else {
        panic!("y.npy contains integers")
    };
    (shape, values)
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn predictions_match_the_network_and_have_the_bits_of_a_stream() {
    for return_sequences in [false, true] {
        let (network, frames) = network(return_sequences);
        let golden: Vec<f32> = frames.chunks(TIME * FEATURES).flat_map(|s| network.predict(s)).collect();
        let folder = folder(return_sequences);
        for (model, tolerance) in [("m.ernn", 1e-5), ("m.i8.ernn", 0.05)] {
            let (shape, values) = predict(folder.path(), model, &[]);
            let expected: &[usize] = if return_sequences { &[COUNT, TIME, OUT] } else { &[COUNT, OUT] };
            assert_eq!(shape, expected);
            let worst = values.iter().zip(&golden).fold(0f32, |worst, (y, g)| worst.max((y - g).abs()));
            assert!(worst < tolerance, "{model}: {worst}");
            assert_eq!(bits(&predict(folder.path(), model, &["--stream"]).1), bits(&values), "{model}");
        }
    }
}

#[test]
fn padded_steps_are_not_run_and_their_outputs_are_zero() {
    let folder = folder(true);
    let whole = predict(folder.path(), "m.i8.ernn", &[]).1;
    write_integers(&folder.path().join("l.npy"), &[7, 1, 2, 6, 3]);
    let (shape, values) = predict(folder.path(), "m.i8.ernn", &["--lengths", "l.npy"]);
    assert_eq!(shape, [COUNT, TIME, OUT]);
    for (s, length) in [7, 1, 2, 6, 3].into_iter().enumerate() {
        let from = s * TIME * OUT;
        let (end, next) = (from + length * OUT, from + TIME * OUT);
        assert_eq!(values[from..end], whole[from..end]);
        assert!(values[end..next].iter().all(|&value| value == 0.0));
    }
    let args = ["predict", "m.ernn", "--input", "x.npy", "--output", "z.npy", "--lengths", "l.npy"];
    write_integers(&folder.path().join("l.npy"), &[7, 0, 2, 6, 3]);
    assert_eq!(error_line(folder.path(), &args), "l.npy: sequence 1 has length 0");
    write_integers(&folder.path().join("l.npy"), &[7, 1]);
    assert_eq!(error_line(folder.path(), &args), "x.npy: holds 5 sequences, but there are 2 lengths");
    assert!(!folder.path().join("z.npy").exists());
}

#[test]
fn inspect_prints_the_fields_that_scripts_rely_on() {
    let folder = folder(false);
    for (model, dtype) in [("m.ernn", "f32"), ("m.i8.ernn", "i8")] {
        let output = output(folder.path(), &["inspect", model, "--json"]);
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let is = |key: &str, value: serde_json::Value| assert_eq!(json[key], value, "{key}");
        is("name", "mine".into());
        is("dtype", dtype.into());
        is("input_size", FEATURES.into());
        is("output_size", OUT.into());
        is("returns_sequences", false.into());
        is("labels", vec!["a", "b", "c", "d"].into());
        is("self_test", "passed".into());
        is("parameters", (4 * 6 * (3 + 6 + 1) + 4 * (6 + 1)).into());
        is("macs_per_step", (3 + 4 * 6 * (3 + 6) + 4 * 6).into());
        is("flash_bytes", fs::metadata(folder.path().join(model)).unwrap().len().into());
        assert!(json["ram_bytes"].as_u64().unwrap() > 0);
        let types: Vec<&str> =
            json["layers"].as_array().unwrap().iter().map(|l| l["type"].as_str().unwrap()).collect();
        assert_eq!(types, ["Normalization", "LSTM", "Dense"]);
        assert_eq!(json["layers"][1]["units"], 6);
        assert_eq!(json["layers"][2]["activation"], "softmax");
    }
    let text = String::from_utf8(output(folder.path(), &["inspect", "m.ernn"]).stdout).unwrap();
    assert!(text.starts_with("mine: f32, ") && text.ends_with("self-test: passed\n"), "{text}");
}

#[test]
fn a_quantized_model_can_be_evaluated_and_not_quantized_again() {
    let folder = folder(false);
    let args = ["quantize", "m.ernn", "--calibrate", "x.npy", "-o", "q.ernn"];
    let quantized = output(folder.path(), &args);
    let text = String::from_utf8(quantized.stdout).unwrap();
    assert!(text.starts_with("layer ") && text.contains("\ncell ") && text.contains("\ndense "), "{text}");
    // The data set: x.npy, labeled with the predictions of the f32 model.
    let outputs = predict(folder.path(), "m.ernn", &[]).1;
    let best = |y: &[f32]| (0..OUT).max_by(|&a, &b| y[a].total_cmp(&y[b])).unwrap() as i64;
    write_integers(&folder.path().join("y.npy"), &outputs.chunks(OUT).map(best).collect::<Vec<_>>());
    let mut npz = zip::ZipWriter::new(fs::File::create(folder.path().join("d.npz")).unwrap());
    for name in ["x.npy", "y.npy"] {
        npz.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::copy(&mut fs::File::open(folder.path().join(name)).unwrap(), &mut npz).unwrap();
    }
    npz.finish().unwrap();
    let args = ["quantize", "m.ernn", "--calibrate", "x.npy", "--weights", "f16", "-o", "h.ernn"];
    assert!(String::from_utf8(output(folder.path(), &args).stdout).unwrap().starts_with("layer "));
    for model in ["m.ernn", "h.ernn", "q.ernn"] {
        let evaluated = output(folder.path(), &["eval", model, "--data", "d.npz"]);
        let text = String::from_utf8(evaluated.stdout).unwrap();
        assert!(text.starts_with("loss: ") && text.contains(" - accuracy: 1.0000\n"), "{model}: {text}");
        for part in ["confusion matrix", "precision", "recall", "F1", "macro", "micro"] {
            assert!(text.contains(part), "{part} is missing");
        }
    }
    for (model, what) in [("q.ernn", "an i8 model"), ("h.ernn", "an f16 model")] {
        let again = ["quantize", model, "--calibrate", "x.npy", "-o", "z.ernn"];
        let expected = format!("{model}: {what}: only f32 models can be quantized");
        assert_eq!(error_line(folder.path(), &again), expected);
        assert!(!folder.path().join("z.ernn").exists());
    }
}

#[test]
fn concatenated_sequences_have_concatenated_outputs() {
    let folder = folder(true);
    let whole = predict(folder.path(), "m.ernn", &[]).1;
    write_npy(&folder.path().join("x.npy"), &[COUNT * TIME, FEATURES], &network(true).1).unwrap();
    write_integers(&folder.path().join("l.npy"), &[TIME as i64; COUNT]);
    let (shape, values) = predict(folder.path(), "m.ernn", &["--lengths", "l.npy"]);
    assert_eq!(shape, [COUNT * TIME, OUT]);
    assert_eq!(bits(&values), bits(&whole));
}

/// Asserts that every command rejects a file that is not a valid model.
fn rejected_everywhere(folder: &Path, model: &str, reason: &str) {
    let commands: [&[&str]; 4] = [
        &["predict", model, "--input", "x.npy", "--output", "z.npy"],
        &["eval", model, "--data", "d.npz"],
        &["quantize", model, "--calibrate", "x.npy", "-o", "z.npy"],
        &["inspect", model],
    ];
    for command in commands {
        let error = error_line(folder, command);
        assert!(error.starts_with(&format!("{model}: {reason}")), "{error}");
    }
    assert!(!folder.join("z.npy").exists());
}

#[test]
fn invalid_models_are_rejected_in_one_line() {
    let folder = folder(false);
    let folder = folder.path();
    for kind in ["m.ernn", "m.i8.ernn"] {
        let whole = fs::read(folder.join(kind)).unwrap();
        for length in [0, 3, 4, 60, 96, whole.len() / 2, whole.len() - 1] {
            fs::write(folder.join("bad.ernn"), &whole[..length]).unwrap();
            let reason = if length < 4 { "not a model file" } else { "model file truncated: " };
            rejected_everywhere(folder, "bad.ernn", reason);
        }
        let mut damaged = whole.clone();
        damaged[whole.len() / 2] ^= 1;
        fs::write(folder.join("bad.ernn"), damaged).unwrap();
        rejected_everywhere(folder, "bad.ernn", "model file damaged: CRC-32");
    }
    fs::create_dir(folder.join("dir.ernn")).unwrap();
    rejected_everywhere(folder, "dir.ernn", "Is a directory");
    rejected_everywhere(folder, "none.ernn", "No such file");
    rejected_everywhere(folder, "x.npy", "not a model file");
}

#[test]
fn invalid_arrays_are_rejected_in_one_line() {
    let folder = folder(false);
    let folder = folder.path();
    let bad = |shape: &[usize], values: &[f32], reason: &str| {
        write_npy(&folder.join("bad.npy"), shape, values).unwrap();
        for command in ["predict", "quantize"] {
            let args: &[&str] = match command {
                "predict" => &["predict", "m.ernn", "--input", "bad.npy", "--output", "z"],
                _ => &["quantize", "m.ernn", "--calibrate", "bad.npy", "-o", "z"],
            };
            assert_eq!(error_line(folder, args), format!("bad.npy: {reason}"));
        }
    };
    bad(&[1, 2, 2], &[0.0; 4], "2 features per frame, but the model expects 3");
    bad(&[2, 2], &[0.0; 4], "1 features per frame, but the model expects 3");
    bad(&[0, 2, 3], &[], "empty: its shape is [0, 2, 3]");
    bad(&[1, 2, 3], &[0.0, 0.0, 0.0, 0.0, f32::NAN, 0.0], "NaN at [0, 1, 1]");
    let shapes = "not [n, time, features], [n, time], or [frames, features] with lengths";
    bad(&[6], &[0.0; 6], &format!("its shape is [6], {shapes}"));
    fs::write(folder.join("text.npy"), "1 2 3").unwrap();
    let predict = |x: &str| error_line(folder, &["predict", "m.ernn", "--input", x, "--output", "z"]);
    assert!(predict("text.npy").starts_with("text.npy: "));
    fs::create_dir(folder.join("dir")).unwrap();
    assert_eq!(predict("dir"), "dir: is a directory");
    assert_eq!(
        error_line(folder, &["eval", "m.ernn", "--data", "dir"]),
        "dir: is a directory without .npy files"
    );
    assert!(predict("none.npy").starts_with("none.npy: No such file"));
    assert!(!folder.join("z").exists());
    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/digits/digits.npz");
    let reason = |part| format!("{digits}: {part}: 13 features per frame, but the model expects 3");
    assert_eq!(error_line(folder, &["eval", "m.ernn", "--data", digits]), reason("x_test"));
    let quantize = ["quantize", "m.ernn", "--calibrate", digits, "-o", "z"];
    assert_eq!(error_line(folder, &quantize), reason("x_train"));
    let nowhere = ["predict", "m.ernn", "--input", "x.npy", "--output", "none/y.npy"];
    assert!(error_line(folder, &nowhere).starts_with("none/y.npy: not written: "));
}
