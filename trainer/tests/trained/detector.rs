//! A detector: one output, the probability of the second of two classes.

use std::fs;

use tempfile::TempDir;

use crate::common::{error_line, output};
use crate::data::{Named, floats, folder, integers};

pub const CONFIG: &str = r#"
name = "detector"
[data]
file = "d.npz"
labels = ["quiet", "alarm"]
[[layers]]
type = "SimpleRNN"
units = 4
[[layers]]
type = "Dense"
units = 1
activation = "sigmoid"
[training]
loss = "binary_crossentropy"
learning_rate = 0.02
batch_size = 10
epochs = 40
"#;

/// Returns 60 sequences of four frames, the last 12 of class 1: only there the second feature rises.
pub fn arrays() -> Vec<Named> {
    let noise = |k: usize| ((k * k * 7 + k * 3) % 17) as f32 / 17.0 - 0.5;
    let frame = |s: usize, t: usize| {
        [noise(4 * s + t), noise(s + 9 * t) * 0.2 + if s >= 48 { t as f32 * 0.3 } else { 0.0 }]
    };
    let x: Vec<f32> = (0..60).flat_map(|s| (0..4).flat_map(move |t| frame(s, t))).collect();
    let y: Vec<i64> = (0..60).map(|s| i64::from(s >= 48)).collect();
    vec![floats("x", &[60, 4, 2], &x), integers("y", &y)]
}

pub fn stdout(folder: &TempDir, args: &[&str]) -> String {
    let output = output(folder.path(), args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_detector_is_trained_and_evaluated_with_the_names_of_both_classes() {
    let folder = folder(CONFIG, &arrays());
    let printed = stdout(&folder, &["train", "c.toml", "--out", "o"]);
    let last = printed.lines().rfind(|line| line.starts_with("model.i8.ernn: loss")).unwrap();
    let accuracy: f64 = last.rsplit(' ').next().unwrap().parse().unwrap();
    // Four fifths are quiet.
    assert!(accuracy > 0.9, "{last}");
    let table = stdout(&folder, &["eval", "o/model.i8.ernn", "--data", "d.npz"]);
    assert!(table.contains(" alarm") && table.contains(" quiet"), "{table}");
    assert!(stdout(&folder, &["inspect", "o/model.ernn"]).contains("labels: quiet, alarm"));
    let report = fs::read_to_string(folder.path().join("o/report.html")).unwrap();
    assert!(report.contains("<th>alarm</th>") && report.contains("val_accuracy"));
}

#[test]
fn weights_change_what_is_learned() {
    let recall = |keys: &str| {
        let config = CONFIG.replace("epochs = 40", &format!("epochs = 6\n{keys}"));
        let folder = folder(&config, &arrays());
        stdout(&folder, &["train", "c.toml", "--out", "o"]);
        let table = stdout(&folder, &["eval", "o/model.ernn", "--data", "d.npz"]);
        let row = table.lines().rfind(|line| line.trim_start().starts_with("alarm")).unwrap();
        row.split_whitespace().nth(2).unwrap().parse::<f64>().unwrap()
    };
    assert_eq!((recall(""), recall("class_weight = { alarm = 0 }")), (0.0, 0.0));
    assert_eq!(recall("class_weight = { quiet = 0 }"), 1.0);
    assert!(recall("class_weight = 'balanced'") > 0.5);
}

#[test]
fn unsuitable_targets_and_weights_are_rejected_by_name() {
    let error = |config: &str, arrays: &[Named]| {
        let folder = folder(config, arrays);
        let error = error_line(folder.path(), &["train", "c.toml"]);
        assert!(!folder.path().join("out").exists());
        error
    };
    let with = |number: usize, array| {
        let mut arrays = arrays();
        arrays.truncate(number);
        arrays.push(array);
        arrays
    };
    let mut labels: Vec<i64> = (0..60).map(|s| s % 2).collect();
    labels[7] = 2;
    assert_eq!(
        error(CONFIG, &with(1, integers("y", &labels))),
        "d.npz: y: label 2 at [7], but binary_crossentropy has the classes 0 and 1"
    );
    let mut values = vec![0.5; 60];
    values[3] = 1.5;
    assert_eq!(
        error(CONFIG, &with(1, floats("y", &[60, 1], &values))),
        "d.npz: y: 1.5 at [3] is no probability, from 0 to 1"
    );
    assert_eq!(
        error(&CONFIG.replace("units = 1", "units = 2"), &arrays()),
        "d.npz: y: single classes, but the network has 2 outputs"
    );
    let mut weights = vec![1.0; 60];
    weights[59] = -1.0;
    assert_eq!(
        error(CONFIG, &with(2, floats("sample_weight", &[60], &weights))),
        "d.npz: sample_weight: -1 at [59] is negative"
    );
    assert_eq!(
        error(CONFIG, &with(2, floats("sample_weight", &[4], &[1.0; 4]))),
        "d.npz: sample_weight: its shape is [4], but there are 60 sequences of 240 frames in all"
    );
}

/// A linear output is no probability, so its classes are unknown.
#[test]
fn classes_of_an_output_without_probabilities_are_rejected() {
    let config = CONFIG
        .replace("labels = [\"quiet\", \"alarm\"]\n", "")
        .replace("activation = \"sigmoid\"\n", "")
        .replace("binary_crossentropy", "huber")
        .replace("epochs = 40", "epochs = 1");
    let values: Vec<f32> = (0..60).map(|s| s as f32).collect();
    let folder = folder(&config, &[arrays().remove(0), floats("y", &[60, 1], &values)]);
    stdout(&folder, &["train", "c.toml", "--out", "o"]);
    crate::data::write_npz(&folder.path().join("d.npz"), &arrays());
    let error = error_line(folder.path(), &["eval", "o/model.ernn", "--data", "d.npz"]);
    assert!(error.starts_with("d.npz: y: classes, but the only output of the model, "), "{error}");
}
