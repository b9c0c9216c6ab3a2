//! Forecasts of a series with the command `ernn`: training, evaluation, and rejected configs and data.

mod common;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use common::{error_line, output};

const CONFIG: &str = r#"
name = "wave"
[data]
file = "wave.csv"
split_date = "2014-01"
window = 8
validation_split = 0
[[layers]]
type = "Normalization"
[[layers]]
type = "LSTM"
units = 8
[[layers]]
type = "Dense"
units = 1
[training]
loss = "mse"
learning_rate = 1e-2
epochs = 40
"#;

/// Makes a folder with monthly values, 1,000 plus a sine of amplitude 50 and a period of twenty months, and a
/// config that forecasts them.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut csv = "date,level\n".to_owned();
    for k in 0..180 {
        let value = 1000.0 + 50.0 * (f64::from(k) * std::f64::consts::TAU / 20.0).sin();
        writeln!(csv, "{}-{:02}-01,{value:.3}", 2000 + k / 12, k % 12 + 1).unwrap();
    }
    fs::write(folder.path().join("wave.csv"), csv).unwrap();
    fs::write(folder.path().join("c.toml"), CONFIG).unwrap();
    folder
}

/// Runs a command that succeeds, and returns its standard output.
fn stdout(folder: &Path, args: &[&str]) -> String {
    let output = output(folder, args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the mean absolute error of a forecast from the printed table.
fn mae(text: &str, name: &str) -> f64 {
    let line =
        text.lines().find(|line| line.trim_start().starts_with(&format!("{name} ")) && line.contains('.'));
    line.unwrap().split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn forecasts_have_the_unit_of_the_series_and_are_compared_with_the_last_value() {
    for difference in ["", "\ndifference = true"] {
        let folder = folder();
        let folder = folder.path();
        let config = CONFIG.replace("window = 8", &format!("window = 8{difference}"));
        fs::write(folder.join("c.toml"), config).unwrap();
        let trained = stdout(folder, &["train", "c.toml", "--out", "o"]);
        let table = trained.split("Forecast of ").nth(1).expect("the table of forecasts");
        // The difference of successive values is 50 sin(2 pi / 20) at most, and 2/pi of that on average.
        assert!((9.0..11.0).contains(&mae(table, "last-value")), "{table}");
        for model in ["model.ernn", "model.i8.ernn"] {
            // The worst of both models, with and without differences, is 0.214.
            assert!(mae(table, model) < 0.26, "{table}");
            assert!(table.contains(&format!("\n{model} beats the last-value forecast (RMSE 9")), "{table}");
        }
        let report = fs::read_to_string(folder.join("o/report.html")).unwrap();
        assert!(report.contains("<h2>Forecast</h2>") && report.contains("<th>last-change</th>"));

        let evaluated = stdout(folder, &["eval", "o/model.ernn", "--data", "c.toml"]);
        assert_eq!(mae(&evaluated, "model"), mae(table, "model.ernn"));
        assert!(evaluated.contains("\nmodel beats the last-value forecast"), "{evaluated}");
    }
}

#[test]
fn unsupported_forecasts_are_rejected_with_file_place_and_reason() {
    let folder = folder();
    let folder = folder.path();
    let config = |from: &str, to: &str| {
        assert!(CONFIG.contains(from));
        fs::write(folder.join("bad.toml"), CONFIG.replacen(from, to, 1)).unwrap();
        error_line(folder, &["train", "bad.toml"])
    };
    assert_eq!(config("window = 8\n", ""), "bad.toml: data.window: a .csv file needs one");
    assert_eq!(config("split_date = \"2014-01\"\n", ""), "bad.toml: data.split_date: a .csv file needs one");
    assert!(config("window = 8", "window = 0").starts_with("bad.toml: data.window: 0 is not between 1 and"));
    assert!(config("2014-01", "2014-1").starts_with("bad.toml: data.split_date: \"2014-1\" is not a date"));
    assert!(
        config("wave.csv", "wave.npz")
            .starts_with("bad.toml: data: split_date, window and difference are for")
    );
    assert!(
        config("units = 1", "units = 1\nactivation = \"tanh\"")
            .starts_with("bad.toml: layers: a forecast needs")
    );
    assert!(
        config("units = 1", "units = 2").starts_with("wave.csv: y_train: 1 values, but the network has 2")
    );
    assert!(
        config("2014-01", "2016-01")
            .starts_with("wave.csv: data.split_date: 2016-01-01 is not after the first")
    );
    assert!(config("2014-01", "2000-09").starts_with("wave.csv: 8 rows before 2000-09-01 are too few"));
    assert!(config("wave.csv", "none.csv").starts_with("none.csv: No such file"));

    let whole = fs::read_to_string(folder.join("wave.csv")).unwrap();
    let series = |text: &str| {
        fs::write(folder.join("wave.csv"), text).unwrap();
        error_line(folder, &["train", "c.toml"])
    };
    assert_eq!(
        series(&whole.replacen("level", "", 1).replacen(',', "", 1)),
        "wave.csv: line 1: no column of values beside `date`"
    );
    assert_eq!(
        series(&whole.replace("2003-05-01", "2003-02-01")),
        "wave.csv: line 42: date 2003-02-01 is not after 2003-04-01"
    );
    assert!(
        series(&whole.replace("2003-05-01,", "2003-05-01,x")).starts_with("wave.csv: line 42: level: \"x1")
    );
    assert_eq!(series("date,level\n"), "wave.csv: no rows");
    assert!(!folder.join("out").exists());
    assert_eq!(
        error_line(folder, &["train", "wave.csv"]),
        "wave.csv: line 1: key with no value, expected `=`"
    );
}

#[test]
fn a_series_without_its_config_cannot_be_evaluated() {
    let folder = folder();
    let folder = folder.path();
    fs::write(folder.join("c.toml"), CONFIG.replace("epochs = 40", "epochs = 1")).unwrap();
    stdout(folder, &["train", "c.toml", "--out", "o"]);
    let reason = error_line(folder, &["eval", "o/model.ernn", "--data", "wave.csv"]);
    assert!(reason.starts_with("wave.csv: ") && reason.contains(".toml"), "{reason}");
}
