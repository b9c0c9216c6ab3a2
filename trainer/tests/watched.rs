//! The command `ernn train`: early stopping, several seeds, folds, JSON lines, and Ctrl-C.

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use common::{ernn, error_line, output};

const CONFIG: &str = r#"
name = "short"
[data]
file = "digits.npz"
[[layers]]
type = "Normalization"
[[layers]]
type = "SimpleRNN"
units = 8
[[layers]]
type = "Dense"
units = 10
activation = "softmax"
[training]
loss = "categorical_crossentropy"
learning_rate = 3e-2
epochs = 4
"#;

/// Makes a folder with a config, extended by `options` of the training, and its data.
fn folder(options: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/digits/digits.npz");
    fs::copy(data, folder.path().join("digits.npz")).unwrap();
    fs::write(folder.path().join("c.toml"), format!("{CONFIG}{options}")).unwrap();
    folder
}

fn stdout(folder: &Path, args: &[&str]) -> String {
    let output = output(folder, args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Returns a column of a table of comma-separated values, without its name.
fn column(text: &str, name: &str) -> Vec<f64> {
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let k = lines.next().unwrap().iter().position(|found| *found == name).expect("the column");
    lines.map(|line| line[k].parse().unwrap()).collect()
}

/// The epoch and the stop follow from the history that is written, and the model has the weights of the best
/// epoch: its score on the validation data, where it is scored without a test part, is that of the history.
#[test]
fn training_stops_early_and_takes_the_best_weights() {
    let rules = "[training.early_stopping]\npatience = 2\nrestore_best_weights = true\n";
    let folder = folder(rules);
    let folder = folder.path();
    let config = format!("{CONFIG}{rules}").replace("epochs = 4", "epochs = 200");
    fs::write(folder.join("c.toml"), config).unwrap();
    // The models of a fold are scored on its validation part.
    let text = stdout(folder, &["train", "c.toml", "--out", "o", "--folds", "2"]);
    let losses = column(&fs::read_to_string(folder.join("o/fold-1/history.csv")).unwrap(), "val_loss");
    let best = (0..losses.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap();
    assert_eq!(losses.len(), best + 3, "two epochs after the best: {losses:?}");
    assert!(losses.len() < 200);
    let line = format!(
        "Stopped after epoch {}, as val_loss no longer improved; best val_loss: {:.4} after epoch {taken}; \
         weights taken: those of epoch {taken}",
        losses.len(),
        losses[best],
        taken = best + 1
    );
    assert!(text.contains(&line), "{line}\n{text}");
    let model = text.lines().find(|line| line.starts_with("model.ernn: loss: ")).unwrap();
    assert!(model.starts_with(&format!("model.ernn: loss: {:.4} - ", losses[best])), "{model}");
    let report = fs::read_to_string(folder.join("o/fold-1/report.html")).unwrap();
    assert!(report.contains("early stopping") && report.contains("validation accuracy, f32"));

    let resumed = stdout(folder, &["train", "c.toml", "--out", "o", "--folds", "2", "--resume"]);
    assert!(resumed.contains(&line) && !resumed.contains("\nEpoch "), "{resumed}");
}

#[test]
fn several_seeds_have_a_mean_and_a_spread() {
    let folder = folder("");
    let folder = folder.path();
    let text = stdout(folder, &["train", "c.toml", "--out", "o", "--seed", "3", "--seeds", "2", "--json"]);
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let of = |event: &str| lines.iter().filter(|line| line["event"] == event).collect::<Vec<_>>();
    assert_eq!((of("start").len(), of("epoch").len(), of("model").len()), (2, 8, 4));
    assert_eq!(
        (of("start")[1]["seed"].as_u64(), of("start")[0]["validation"].as_u64()),
        (Some(4), Some(432))
    );
    let accuracy = |seed: usize| of("model")[2 * seed]["accuracy"].as_f64().unwrap();
    assert!(of("model").iter().all(|model| model["part"] == "test"));
    let summary = fs::read_to_string(folder.join("o/summary.csv")).unwrap();
    let found = column(&summary, "test accuracy f32");
    let mean = (accuracy(0) + accuracy(1)) / 2.0;
    let spread = (accuracy(0) - accuracy(1)).abs() / 2f64.sqrt();
    // The parser of JSON may be one bit off.
    assert!((0..2).all(|seed| (found[seed] - accuracy(seed)).abs() < 1e-12), "{summary}");
    assert!((found[2] - mean).abs() < 1e-12 && (found[3] - spread).abs() < 1e-12, "{summary}");

    let alone = stdout(folder, &["train", "c.toml", "--out", "alone", "--seed", "4", "--quiet"]);
    assert_eq!(alone, "");
    let [model, same] =
        ["alone", "o/seed-4"].map(|run| fs::read(folder.join(run).join("model.ernn")).unwrap());
    assert!(model == same);
}

/// A score of validation data that do not exist cannot be monitored.
#[test]
fn unusable_options_are_rejected_in_one_line() {
    for (data, options, expected) in [
        (
            "\nvalidation_split = 0",
            "[training.early_stopping]\n",
            "early_stopping.monitor: val_loss, but there are \
          no validation data",
        ),
        (
            "",
            "[training.early_stopping]\nmonitor = \"val_acc\"",
            "early_stopping: monitor: \"val_acc\" is not one \
          of loss, accuracy, val_loss, val_accuracy",
        ),
        (
            "",
            "[training.reduce_lr_on_plateau]\nfactor = 1.0",
            "reduce_lr_on_plateau: factor: 1 is not between 0 \
          and 1",
        ),
    ] {
        let folder = folder("");
        let folder = folder.path();
        let config = CONFIG.replace("\"digits.npz\"", &format!("\"digits.npz\"{data}"));
        fs::write(folder.join("c.toml"), format!("{config}{options}")).unwrap();
        let error = error_line(folder, &["train", "c.toml", "--out", "o"]);
        assert_eq!(error, format!("c.toml: training.{expected}"));
        assert!(!folder.join("o").exists());
    }
}

/// Without patience the training would take hours.
#[test]
#[cfg(unix)]
fn ctrl_c_ends_the_training_with_all_files_written() {
    let folder = folder("");
    let folder = folder.path();
    let config = CONFIG.replace("epochs = 4", "epochs = 1000000");
    fs::write(folder.join("c.toml"), config).unwrap();
    let mut child = ernn(folder, &["train", "c.toml", "--out", "o"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("Epoch 2/")));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let rest: Vec<String> = lines.collect();
    assert!(child.wait().unwrap().success());
    let ended = rest.iter().find_map(|line| line.strip_prefix("Interrupted after epoch ")).expect("the line");
    let history = fs::read_to_string(folder.join("o/history.csv")).unwrap();
    assert_eq!(history.lines().count(), ended.parse::<usize>().unwrap() + 1);
    for file in ["model.ernn", "model.i8.ernn", "report.html", "checkpoint.postcard"] {
        assert!(folder.join("o").join(file).exists(), "{file}");
    }
}
