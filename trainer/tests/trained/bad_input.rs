//! Bad data: each kind ends with one line that names the file, the place and the reason, and writes nothing.

use std::fs;

use tempfile::TempDir;

use crate::common::error_line;
use crate::data::{CONFIG, Named, arrays, floats, folder, integers, write_npz};
use crate::detector::stdout;

/// Returns the error of training with this array in place of the one with its name.
fn with(array: Named) -> String {
    let changed = arrays(3).into_iter().map(|own| if own.name == array.name { array.clone() } else { own });
    error(&folder(CONFIG, &changed.collect::<Vec<_>>()))
}

fn error(folder: &TempDir) -> String {
    let error = error_line(folder.path(), &["train", "c.toml"]);
    assert!(!folder.path().join("out").exists(), "{error}");
    error
}

/// Returns a folder whose config names `file`, with this content.
fn file(name: &str, bytes: &[u8], options: &str) -> TempDir {
    let folder = folder(&CONFIG.replace("\"d.npz\"", &format!("\"{name}\"\n{options}")), &[]);
    fs::write(folder.path().join(name), bytes).unwrap();
    folder
}

#[test]
fn numbers_that_are_not_finite_are_named_with_their_index() {
    let mut x = vec![0.25; 96];
    x[20] = f32::NAN;
    assert_eq!(with(floats("x_train", &[16, 3, 2], &x)), "d.npz: x_train: NaN at [3, 1, 0]");
    x[20] = f32::NEG_INFINITY;
    assert_eq!(with(floats("x_train", &[16, 3, 2], &x)), "d.npz: x_train: -inf at [3, 1, 0]");
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let x = |shape: &[usize]| with(floats("x_train", shape, &vec![0.5; shape.iter().product()]));
    assert_eq!(
        x(&[16, 3, 2, 1]),
        "d.npz: x_train: its shape is [16, 3, 2, 1], not [n, time, features], [n, time], or \
         [frames, features] with lengths"
    );
    assert_eq!(
        x(&[3, 16, 2]),
        "d.npz: y_train: its shape is [16], but there are 3 sequences of 48 frames in all; the frames may be \
         transposed: their axes are [n, time, features]"
    );
    assert_eq!(x(&[0, 3, 2]), "d.npz: x_train: empty: its shape is [0, 3, 2]");
    assert_eq!(x(&[16, 3, 1]), "d.npz: x_test: 2 features per frame, but x_train has 1");
}

#[test]
fn labels_out_of_range_and_a_single_class_are_named() {
    let mut labels: Vec<i64> = (0..16).map(|s| s % 2).collect();
    labels[5] = -1;
    assert_eq!(with(integers("y_train", &labels)), "d.npz: y_train: label -1 at [5] is out of range");
    labels[5] = 2;
    let many = "d.npz: y_train: label 2 at [5], but the network has 2 outputs";
    assert_eq!(with(integers("y_train", &labels)), many);
    let single = "d.npz: y_train: all targets are of class 1: there is nothing to learn";
    assert_eq!(with(integers("y_train", &[1; 16])), single);
}

#[test]
fn empty_and_foreign_files_are_named() {
    for (name, reason) in [
        ("e.npz", "e.npz: not an .npz file: "),
        ("e.csv", "e.csv: line 1: no column `sequence`"),
        ("e_TRAIN.ts", "e_TRAIN.ts: no line @data"),
        ("e-images-idx3-ubyte", "e-images-idx3-ubyte: not an IDX file: "),
    ] {
        for content in [&b""[..], b"\xff\xfe\x00garbage"] {
            let error = error(&file(name, content, ""));
            let is_reason = error.starts_with(reason) || (!content.is_empty() && error.starts_with(name));
            assert!(is_reason, "{name}: {error}");
        }
    }
    let series = error(&file("e.csv", b"", "split_date = \"2000-01\"\nwindow = 2"));
    assert!(series.starts_with("c.toml: training.loss: a forecast is a value"), "{series}");
    let folder = file("e.npz", b"", "");
    fs::create_dir(folder.path().join("npy")).unwrap();
    fs::write(folder.path().join("c.toml"), CONFIG.replace("d.npz", "npy")).unwrap();
    assert_eq!(error(&folder), "npy: is a directory without .npy files");
    fs::write(folder.path().join("npy/x.npy"), "").unwrap();
    assert_eq!(error(&folder), "npy: npy/x.npy: shorter than a .npy header: failed to fill whole buffer");
    fs::write(folder.path().join("c.toml"), "").unwrap();
    assert_eq!(error(&folder), "c.toml: line 1: missing field `name`");
}

/// A size in a head says how much memory a file would take, and is not believed.
#[test]
fn sizes_beyond_the_limit_are_rejected_before_they_are_read() {
    let idx = file("b-images-idx3-ubyte", &[0, 0, 8, 3, 127, 0, 0, 0, 127, 0, 0, 0, 0, 0, 0, 9], "");
    assert_eq!(error(&idx), "b-images-idx3-ubyte: its head declares more than 2^29 values");
    let huge = Named { shape: vec![1 << 30, 3, 2], ..floats("x_train", &[1], &[0.0]) };
    assert_eq!(with(huge), "d.npz: x_train: its header declares more than 2^29 values");
}

/// Reads what editors of Windows write: a byte order mark, line ends of two kinds.
#[test]
fn byte_order_marks_and_mixed_line_ends_are_read() {
    let folder = folder(CONFIG, &arrays(3));
    let config = format!("\u{feff}{}", CONFIG.replace('\n', "\r\n"));
    fs::write(folder.path().join("c.toml"), config).unwrap();
    stdout(&folder, &["train", "c.toml"]);
    let rows = (0..40)
        .map(|k| format!("{}-{:02},{}{}", 2000 + k / 12, k % 12 + 1, k * k % 7, ["\n", "\r\n"][k % 2]));
    let series = format!("\u{feff}date,level\r\n{}", rows.collect::<String>());
    fs::write(folder.path().join("s.csv"), series).unwrap();
    let printed = stdout(&folder, &["init", "s.csv"]);
    assert!(printed.starts_with("s.csv: a series of 40 values of level\n"), "{printed}");
    stdout(&folder, &["train", "s.toml"]);
    let head = "\u{feff}@timeStamps false\r\n@classLabel true a b\n@data\r\n";
    let lines = (0..8).map(|s| format!("{s},{}:{}{}", s * s % 5, ["a", "b"][s % 2], ["\r\n", "\n"][s / 4]));
    fs::write(folder.path().join("t.ts"), format!("{head}{}", lines.collect::<String>())).unwrap();
    let printed = stdout(&folder, &["init", "t.ts"]);
    assert!(printed.starts_with("t.ts: 8 sequences of 2 steps of 1 feature, 2 classes\n"), "{printed}");
    let twice = "s.csv: line 1: 2 columns of values beside `date`: only one is supported";
    fs::write(folder.path().join("s.csv"), "date,a,a\n2000-01,1,2\n").unwrap();
    assert_eq!(error_line(folder.path(), &["train", "s.toml"]), twice);
}

#[test]
fn data_of_another_model_are_named_by_eval() {
    let folder = folder(CONFIG, &arrays(3));
    stdout(&folder, &["train", "c.toml", "--out", "o"]);
    write_npz(&folder.path().join("d.npz"), &[floats("x", &[2, 3, 5], &[0.5; 30]), integers("y", &[0, 1])]);
    let error = error_line(folder.path(), &["eval", "o/model.ernn", "--data", "d.npz"]);
    assert!(error.starts_with("d.npz: x: 5 features per frame"), "{error}");
}
