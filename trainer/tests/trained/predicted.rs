//! `ernn predict` to a table, and `ernn eval --json`, with a detector and other small nets.

use std::fs;

use serde_json::Value;

use crate::common::error_line;
use crate::data::{Named, arrays, floats, folder, integers};
use crate::detector::{self, stdout};

const CLASSIFIER: &str = r#"
name = "c"
data = { file = "d.npz", labels = ["no, never", "yes"], validation_split = 0 }
layers = [{ type = "GRU", units = 3 }, { type = "Dense", units = 2, activation = "softmax" }]
training = { loss = "categorical_crossentropy", epochs = 2 }
"#;

fn rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn classes_stand_by_name_beside_the_actual_ones() {
    let folder = folder(CLASSIFIER, &arrays(3));
    stdout(&folder, &["train", "c.toml", "--out", "o"]);
    let printed = stdout(&folder, &["predict", "o/model.ernn", "--input", "d.npz", "--output", "y.csv"]);
    assert_eq!(printed, "Wrote y.csv, 4 lines\n");
    let rows = rows(&fs::read_to_string(folder.path().join("y.csv")).unwrap());
    assert_eq!(rows[0], ["sequence", "actual", "predicted", "no, never", "yes"]);
    let eval = stdout(&folder, &["eval", "o/model.ernn", "--data", "d.npz", "--json"]);
    let eval: Value = serde_json::from_str(&eval).unwrap();
    let right = rows[1..].iter().filter(|row| row[1] == row[2]).count() as f64;
    assert_eq!(eval["scores"]["accuracy"], right / 4.0);
    for (s, row) in rows[1..].iter().enumerate() {
        let [no, yes] = [3, 4].map(|k| row[k].parse::<f32>().unwrap());
        assert_eq!(row[0], s.to_string());
        // The labels of the test part are 0, 0, 1, 1.
        assert_eq!(row[1], ["no, never", "yes"][usize::from(s >= 2)]);
        assert_eq!(row[2] == "yes", yes > no, "{row:?}");
    }
    assert_eq!(eval["sequences"], 4);
    assert_eq!(eval["averages"]["macro"]["support"], 4);
}

#[test]
fn a_threshold_is_chosen_on_the_validation_data_and_can_be_given() {
    let folder = folder(detector::CONFIG, &detector::arrays());
    let printed = stdout(&folder, &["train", "c.toml", "--out", "o"]);
    let line = printed.lines().find(|line| line.starts_with("model.ernn: with the threshold ")).unwrap();
    assert!(line.contains(", the best on the validation data: precision: "), "{line}");
    let report = fs::read_to_string(folder.path().join("o/report.html")).unwrap();
    assert!(
        report.contains("<h2>Detector</h2>") && report.contains("ROC curve") && report.contains("ROC AUC")
    );

    let eval = |more: &[&str]| -> Value {
        let args = [&["eval", "o/model.ernn", "--data", "d.npz", "--json"], more].concat();
        serde_json::from_str(&stdout(&folder, &args)).unwrap()
    };
    let (plain, never, always) = (eval(&[]), eval(&["--threshold", "1"]), eval(&["--threshold", "0"]));
    assert_eq!((&plain["threshold"], &never["scores"]["recall"]), (&0.5.into(), &0.0.into()));
    assert_eq!((&always["scores"]["recall"], &never["scores"]["accuracy"]), (&1.0.into(), &0.8.into()));
    assert_eq!(plain["scores"]["roc_auc"], always["scores"]["roc_auc"]);
    assert_eq!(plain["loss"], "binary_crossentropy");

    let args = ["predict", "o/model.i8.ernn", "--input", "d.npz", "--output", "y.csv", "--threshold", "0"];
    stdout(&folder, &args);
    let rows = rows(&fs::read_to_string(folder.path().join("y.csv")).unwrap());
    assert_eq!(rows[0], ["sequence", "actual", "predicted", "alarm"]);
    assert_eq!(rows[60][1..3], ["alarm", "alarm"]);
    assert!(rows[1..].iter().all(|row| (row[2] == "alarm") == (row[3].parse::<f32>().unwrap() > 0.0)));
}

#[test]
fn values_of_every_step_are_listed_without_padding() {
    let config = r#"
name = "c"
data = { file = "d.npz", validation_split = 0 }
layers = [{ type = "SimpleRNN", units = 3, return_sequences = true }, { type = "Dense", units = 1 }]
training = { loss = "mae", epochs = 1 }
"#;
    let x: Vec<f32> = (0..12).map(|k| k as f32 / 10.0).collect();
    let arrays = [floats("x", &[2, 3, 2], &x), integers("len", &[3, 1]), floats("y", &[2, 3, 1], &x[..6])];
    let folder = folder(config, &arrays);
    stdout(&folder, &["train", "c.toml", "--out", "o"]);
    let table = |input: &str, more: &[&str]| {
        let args = [&["predict", "o/model.ernn", "--input", input, "--output", "y.csv"], more].concat();
        stdout(&folder, &args);
        rows(&fs::read_to_string(folder.path().join("y.csv")).unwrap())
    };
    let rows = table("d.npz", &[]);
    assert_eq!(rows[0], ["sequence", "step", "actual 0", "output 0"]);
    let places: Vec<_> =
        rows[1..].iter().map(|row| [&row[0], &row[1], &row[2]].map(String::as_str)).collect();
    assert_eq!(places, [["0", "0", "0"], ["0", "1", "0.1"], ["0", "2", "0.2"], ["1", "0", "0.3"]]);
    let eval = stdout(&folder, &["eval", "o/model.ernn", "--data", "c.toml", "--json"]);
    let eval: Value = serde_json::from_str(&eval).unwrap();
    let errors =
        rows[1..].iter().map(|row| (row[2].parse::<f64>().unwrap() - row[3].parse::<f64>().unwrap()).abs());
    let mae = errors.sum::<f64>() / 4.0;
    assert_eq!(eval["loss"], "mae");
    for name in ["mae", "loss"] {
        assert!((eval["scores"][name].as_f64().unwrap() - mae).abs() < 1e-6, "{eval}");
    }
}

#[test]
fn options_that_do_not_fit_are_rejected() {
    let folder = folder(CLASSIFIER, &arrays(3));
    stdout(&folder, &["train", "c.toml", "--out", "o"]);
    let predict = |more: &[&str]| {
        let args = [&["predict", "o/model.ernn", "--input", "d.npz"], more].concat();
        error_line(folder.path(), &args)
    };
    let threshold = "--threshold: not used without a table, --output Y.csv";
    assert_eq!(predict(&["--output", "y.npy", "--threshold", "0.5"]), threshold);
    assert!(
        predict(&["--output", "y.csv", "--threshold", "2"])
            .ends_with("expected a number from 0 to 1; see --help")
    );
    let eval = ["eval", "o/model.ernn", "--data", "d.npz", "--threshold", "0.5"];
    assert_eq!(
        error_line(folder.path(), &eval),
        "o/model.ernn: --threshold: the model is no detector, with a single output and classes as targets"
    );
    let other: Vec<Named> = vec![arrays(3).remove(0), floats("y_train", &[16, 3], &[0.5; 48])];
    crate::data::write_npz(&folder.path().join("d.npz"), &other);
    assert_eq!(predict(&["--output", "y.csv"]), "d.npz: y_train: not the targets of this model");
    assert!(!folder.path().join("y.csv").exists());
}
