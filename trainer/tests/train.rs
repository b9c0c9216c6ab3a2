//! The command `ernn train`: interrupted and resumed runs, and invalid input.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

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
learning_rate = 3e-3
epochs = 8
"#;

/// Makes a folder with a config and its data.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/digits/digits.npz");
    fs::copy(data, folder.path().join("digits.npz")).unwrap();
    fs::write(folder.path().join("c.toml"), CONFIG).unwrap();
    folder
}

/// Kills the run once it has written the checkpoint.
fn kill_after_an_epoch(mut child: Child, checkpoint: &Path) {
    let stamp = || fs::metadata(checkpoint).and_then(|m| m.modified()).ok();
    let (before, start) = (stamp(), Instant::now());
    while stamp() == before && child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(60), "no checkpoint in a minute");
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn killed_run_resumes_to_the_bits_of_an_uninterrupted_one() {
    let folder = folder();
    let folder = folder.path();
    assert!(output(folder, &["train", "c.toml", "--out", "whole"]).status.success());

    let resume = ["train", "c.toml", "--out", "parts", "--resume"];
    for _ in 0..3 {
        let child = ernn(folder, &resume).stdout(Stdio::null()).spawn().unwrap();
        kill_after_an_epoch(child, &folder.join("parts/checkpoint.postcard"));
    }
    let last = output(folder, &resume);
    assert!(last.status.success());
    let text = String::from_utf8(last.stdout).unwrap();
    assert!(text.starts_with("Resuming after epoch "), "{text}");
    for file in ["model.ernn", "model.i8.ernn", "history.csv", "checkpoint.postcard"] {
        let [whole, parts] = ["whole", "parts"].map(|run| fs::read(folder.join(run).join(file)).unwrap());
        assert!(whole == parts, "{file} differs");
    }
    let left = |name: &std::ffi::OsStr| name.to_string_lossy().ends_with(".tmp");
    assert!(!fs::read_dir(folder.join("parts")).unwrap().any(|entry| left(&entry.unwrap().file_name())));
    let report = fs::read_to_string(folder.join("parts/report.html")).unwrap();
    for part in ["<svg", "Confusion matrix", "model.i8.ernn", "Quantization error"] {
        assert!(report.contains(part), "{part} is missing");
    }

    assert_eq!(
        error_line(folder, &["train", "c.toml", "--out", "parts", "--resume", "--seed", "1"]),
        "parts/checkpoint.postcard: belongs to seed 0, not 1"
    );
    fs::write(folder.join("d.toml"), CONFIG.replace("units = 8", "units = 9")).unwrap();
    assert_eq!(
        error_line(folder, &["train", "d.toml", "--out", "parts", "--resume"]),
        "parts/checkpoint.postcard: belongs to another config: start without --resume"
    );
    fs::write(folder.join("parts/checkpoint.postcard"), "garbage").unwrap();
    assert_eq!(error_line(folder, &resume), "parts/checkpoint.postcard: not a checkpoint, or damaged");
}

#[test]
fn quantize_writes_the_bytes_that_training_wrote() {
    let folder = folder();
    let folder = folder.path();
    let names = r#"["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]"#;
    let data = format!("file = \"digits.npz\"\nlabels = {names}");
    let config = CONFIG.replace("file = \"digits.npz\"", &data).replace("epochs = 8", "epochs = 1");
    fs::write(folder.join("c.toml"), config).unwrap();
    assert!(output(folder, &["train", "c.toml", "--out", "o"]).status.success());
    let args = ["quantize", "o/model.ernn", "--calibrate", "digits.npz", "-o", "q.ernn"];
    assert!(output(folder, &args).status.success());
    let [trained, quantized] = ["o/model.i8.ernn", "q.ernn"].map(|file| fs::read(folder.join(file)).unwrap());
    assert!(trained == quantized);

    let stdout = |args: &[&str]| String::from_utf8(output(folder, args).stdout).unwrap();
    assert!(stdout(&["inspect", "q.ernn"]).contains("\nlabels: zero, one, two, "));
    assert!(stdout(&["eval", "q.ernn", "--data", "digits.npz"]).contains("\n       seven "));
    assert!(fs::read_to_string(folder.join("o/report.html")).unwrap().contains("<th>seven</th>"));
}

/// A softmax before the last layer can be trained, but has no integer form.
#[test]
fn the_float_model_is_written_if_quantization_is_unsupported() {
    let folder = folder();
    let folder = folder.path();
    let soft =
        "[[layers]]\ntype = \"Dense\"\nunits = 4\nactivation = \"softmax\"\n[[layers]]\ntype = \"Dense\"";
    let config = CONFIG.replace("[[layers]]\ntype = \"Dense\"", soft).replace("epochs = 8", "epochs = 1");
    fs::write(folder.join("c.toml"), config).unwrap();
    fs::create_dir(folder.join("o")).unwrap();
    fs::write(folder.join("o/model.i8.ernn"), "of an earlier run").unwrap();
    let error = error_line(folder, &["train", "c.toml", "--out", "o"]);
    assert!(error.starts_with("o/model.i8.ernn: not written: dense: softmax inside"), "{error}");
    assert!(!folder.join("o/model.i8.ernn").exists());
    assert!(output(folder, &["eval", "o/model.ernn", "--data", "digits.npz"]).status.success());
    let report = fs::read_to_string(folder.join("o/report.html")).unwrap();
    assert!(report.contains("model.ernn") && !report.contains("Quantization error"));
}

#[test]
fn resume_without_a_checkpoint_trains_from_the_first_epoch() {
    let folder = folder();
    fs::write(folder.path().join("c.toml"), CONFIG.replace("epochs = 8", "epochs = 1")).unwrap();
    let output = output(folder.path(), &["train", "c.toml", "--resume"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("No checkpoint in out/short: training from the first epoch\n"), "{text}");
    assert!(text.contains("\nEpoch 1/1  loss: ") && text.contains(" - val_accuracy: "), "{text}");
    assert!(output.status.success() && folder.path().join("out/short/model.ernn").exists());
}

#[test]
fn invalid_input_is_rejected_in_one_line_and_leaves_no_output() {
    let folder = folder();
    let folder = folder.path();
    let changed = |from: &str, to: &str| {
        assert!(CONFIG.contains(from));
        fs::write(folder.join("bad.toml"), CONFIG.replacen(from, to, 1)).unwrap();
        error_line(folder, &["train", "bad.toml"])
    };
    assert!(error_line(folder, &["train", "none.toml"]).starts_with("none.toml: No such file"));
    assert!(changed("units = 8", "unit = 8").starts_with("bad.toml: line "));
    assert!(changed("digits.npz", "none.npz").starts_with("none.npz: No such file"));
    assert_eq!(
        changed("units = 10", "units = 9"),
        "digits.npz: y_train: label 9 at [9], but the network has 9 outputs"
    );
    assert!(changed("digits.npz", "c.toml").starts_with("c.toml: not an .npz file"));
    let huge = changed("\"SimpleRNN\"\nunits = 8", "\"LSTM\"\nunits = 65536");
    assert!(
        huge.starts_with("bad.toml: layers[1] (lstm): with it the network has 17183539200 parameters"),
        "{huge}"
    );
    assert!(!folder.join("out").exists());
    assert!(error_line(folder, &["train", "c.toml", "--out", "c.toml"]).starts_with("c.toml: File exists"));
    let seed = |seed| error_line(folder, &["train", "c.toml", "--seed", seed]);
    assert_eq!(seed("x"), "invalid value 'x' for '--seed <N>': invalid digit found in string; see --help");
    assert!(seed("-1").starts_with("invalid value '-1' for '--seed <N>'"));
    assert!(
        error_line(folder, &["train"])
            .starts_with("the following required arguments were not provided: <CONFIG>")
    );
    assert!(error_line(folder, &["trian", "c.toml"]).starts_with("unrecognized subcommand 'trian'"));
}

/// An archive that is truncated, or has a byte changed, is rejected or read, without a panic.
#[test]
fn damaged_data_is_rejected() {
    let folder = folder();
    let folder = folder.path();
    let whole = fs::read(folder.join("digits.npz")).unwrap();
    for length in [0, 1, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(folder.join("digits.npz"), &whole[..length]).unwrap();
        assert!(error_line(folder, &["train", "c.toml"]).starts_with("digits.npz: "));
    }
    for byte in [40, 1000, whole.len() / 2, whole.len() - 500, whole.len() - 10] {
        let mut damaged = whole.clone();
        damaged[byte] ^= 0x55;
        fs::write(folder.join("digits.npz"), damaged).unwrap();
        let status = output(folder, &["train", "c.toml"]).status.code();
        assert!(matches!(status, Some(0 | 2)), "byte {byte}: {status:?}");
    }
}
