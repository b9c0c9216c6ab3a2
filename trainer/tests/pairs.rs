//! `ernn train` on pairs of sequences, valid and invalid ones.

mod common;

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use common::{error_line, output};

const CONFIG: &str = r#"
name = "pairs"
[data]
file = "d.npz"
[[encoder]]
type = "Embedding"
input_dim = 4
output_dim = 3
mask_zero = true
[[encoder]]
type = "LSTM"
units = 2
[[layers]]
type = "Embedding"
input_dim = 3
output_dim = 3
[[layers]]
type = "LSTM"
units = 2
return_sequences = true
[[layers]]
type = "Dense"
units = 3
activation = "softmax"
[training]
loss = "categorical_crossentropy"
epochs = 1
"#;

/// The name, the shape and the integers of an array.
type Named<'a> = (&'a str, Vec<usize>, Vec<i64>);

fn write_npz(path: &Path, arrays: &[Named<'_>]) {
    let mut npz = ZipWriter::new(File::create(path).unwrap());
    for (name, shape, values) in arrays {
        let shape: String = shape.iter().map(|axis| format!("{axis}, ")).collect();
        let header = format!("{{'descr': '<i8', 'fortran_order': False, 'shape': ({shape}), }}");
        npz.start_file(format!("{name}.npy"), SimpleFileOptions::default()).unwrap();
        npz.write_all(b"\x93NUMPY\x01\x00").unwrap();
        npz.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
        npz.write_all(header.as_bytes()).unwrap();
        values.iter().for_each(|value| npz.write_all(&value.to_le_bytes()).unwrap());
    }
    npz.finish().unwrap();
}

/// Returns three pairs for training and one for the test; the second source has a masked time step.
fn arrays() -> Vec<Named<'static>> {
    vec![
        ("x_train", vec![6, 1], vec![1, 2, 0, 3, 1, 2]),
        ("len_train", vec![3], vec![2, 3, 1]),
        ("y_train", vec![5], vec![2, 1, 1, 2, 2]),
        ("len_y_train", vec![3], vec![1, 1, 3]),
        ("x_test", vec![2], vec![3, 3]),
        ("len_test", vec![1], vec![2]),
        ("y_test", vec![1], vec![1]),
        ("len_y_test", vec![1], vec![1]),
    ]
}

/// Makes a folder with a config and its data.
fn folder(config: &str, arrays: &[Named<'_>]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("c.toml"), config).unwrap();
    write_npz(&folder.path().join("d.npz"), arrays);
    folder
}

/// Trains with one array replaced or left out, and returns the error.
fn error_with(config: &str, name: &str, other: Option<(Vec<usize>, Vec<i64>)>) -> String {
    let mut arrays = arrays();
    let at = arrays.iter().position(|array| array.0 == name).unwrap();
    match other {
        Some((shape, values)) => (arrays[at].1, arrays[at].2) = (shape, values),
        None => drop(arrays.remove(at)),
    }
    let folder = folder(config, &arrays);
    let error = error_line(folder.path(), &["train", "c.toml"]);
    assert!(!folder.path().join("out").exists(), "{error}");
    error
}

#[test]
fn an_encoder_decoder_is_trained_packed_and_evaluated() {
    let folder = folder(CONFIG, &arrays());
    let run = |args: &[&str]| {
        let output = output(folder.path(), args);
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        assert!(output.status.success(), "{text}");
        text
    };
    run(&["train", "c.toml", "--out", "o"]);
    for model in ["o/model.ernn", "o/model.i8.ernn"] {
        let text = run(&["eval", model, "--data", "d.npz"]);
        assert!(text.contains("token error rate") && text.contains("sequences correct"), "{text}");
        assert!(run(&["inspect", model]).contains("self-test: passed"));
    }
    assert!(run(&["quantize", "o/model.ernn", "--calibrate", "d.npz", "-o", "again"]).contains("dense"));
    assert!(
        fs::read(folder.path().join("again")).unwrap()
            == fs::read(folder.path().join("o/model.i8.ernn")).unwrap()
    );
}

#[test]
fn invalid_pairs_are_rejected_by_name() {
    let row = |values: &[i64]| Some((vec![values.len()], values.to_vec()));
    for (name, other, reason) in [
        (
            "y_train",
            row(&[2, 1, 1, 0, 2]),
            "class 0 at step 1 of sequence 2: it marks start and end, and is not allowed inside",
        ),
        ("y_train", row(&[2, 1, 1, 3, 2]), "class 3 at step 1 of sequence 2, but the decoder has 3 outputs"),
        ("y_train", row(&[2, 1, 1, 2, -1]), "label -1 at [4] is out of range"),
        ("y_train", row(&[2, 1, 1, 2]), "holds 4 frames, but the lengths add up to 5"),
        ("y_train", Some((vec![5, 1, 1], vec![1; 5])), "its shape is [5, 1, 1], not [ids] or [n, time]"),
        (
            "x_train",
            row(&[1, 2, 0, 3, 1, 4]),
            "4 at step 0 of sequence 2 is not an id: the Embedding has 0 to 3",
        ),
        (
            "x_train",
            row(&[1, 2, 0, 3, 1, -2]),
            "-2 at step 0 of sequence 2 is not an id: the Embedding has 0 to 3",
        ),
        ("x_train", row(&[1, 2, 0, 3, 1, 0]), "nothing is left of sequence 2: every frame is masked"),
        ("x_test", row(&[0, 0]), "nothing is left of sequence 0: every frame is masked"),
        (
            "y_test",
            row(&[0]),
            "class 0 at step 0 of sequence 0: it marks start and end, and is not allowed inside",
        ),
    ] {
        assert_eq!(error_with(CONFIG, name, other), format!("d.npz: {name}: {reason}"));
    }
    assert_eq!(error_with(CONFIG, "len_y_train", row(&[1, 0, 4])), "d.npz: y_train: sequence 1 has length 0");
    assert_eq!(
        error_with(CONFIG, "len_y_train", row(&[1, 4])),
        "d.npz: y_train: 2 target sequences, but there are 3 sequences"
    );
    assert_eq!(
        error_with(CONFIG, "len_y_test", None),
        "d.npz: y_test: its kind differs from that of y_train"
    );
}

#[test]
fn targets_without_lengths_and_unused_lengths_are_rejected_by_name() {
    let mut once = arrays();
    once.retain(|array| !array.0.contains("len_y"));
    once[2].2.truncate(3);
    once[2].1 = vec![3];
    let folder = folder(CONFIG, &once);
    assert_eq!(
        error_line(folder.path(), &["train", "c.toml"]),
        "d.npz: y_train: a decoder needs sequences as targets, with their lengths in len_y_train"
    );
    let chain = CONFIG.split_once("[[encoder]]").unwrap().0.to_owned()
        + "[[layers]]\ntype = \"LSTM\"\nunits = 2\n"
        + "[[layers]]\ntype = \"Dense\"\nunits = 3\nactivation = \"softmax\"\n"
        + &CONFIG[CONFIG.find("[training]").unwrap()..];
    let error = error_with(&chain, "y_train", Some((vec![5], vec![2, 1, 1, 2, 2])));
    let reason = "d.npz: y_train: sequences with their own lengths; to generate them";
    assert!(error.starts_with(reason), "{error}");
}
