//! Disks that are full, simulated by the limit of the size of a file, which fails a write in the middle.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};

use crate::common::{ernn, output};
use crate::data::{CONFIG, arrays, folder};

const TRAIN: [&str; 4] = ["train", "c.toml", "--out", "o"];
const OUTPUTS: [&str; 5] =
    ["checkpoint.postcard", "model.ernn", "model.i8.ernn", "history.csv", "report.html"];

/// Runs a command that can write no file beyond `blocks` blocks.
fn limited(folder: &Path, blocks: usize, args: &[&str]) -> Output {
    let script = "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"";
    let shell = ["-c", script, &blocks.to_string(), env!("CARGO_BIN_EXE_ernn")].map(str::to_owned);
    Command::new("sh").current_dir(folder).args(shell).args(args).output().unwrap()
}

/// Returns the only line on stderr of a command that failed with exit status 2.
fn line(output: Output) -> String {
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1), "{error}");
    error.trim_end().strip_prefix("ernn: ").expect("begins with the program").to_owned()
}

fn assert_no_temporary_files(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!name.ends_with(".tmp"), "{name} is left");
    }
}

/// Trains with ever larger limits until the run succeeds, and returns the names of the files that were not
/// written. Each of them is that of the run before.
fn unwritten(folder: &Path, args: &[&str]) -> Vec<String> {
    let read = |name: &str| fs::read(folder.join("o").join(name)).unwrap();
    let before = OUTPUTS.map(read);
    let mut names = Vec::new();
    for blocks in 0.. {
        let result = limited(folder, blocks, args);
        if result.status.success() {
            break;
        }
        let error = line(result);
        let place = error.strip_prefix("o/").and_then(|error| error.split_once(": not written: "));
        let (name, reason) = place.unwrap_or_else(|| panic!("{blocks} blocks: {error}"));
        assert!(reason.starts_with("File too large"), "{reason}");
        let at = OUTPUTS.iter().position(|output| *output == name).expect("an output");
        assert!(before[at] == read(name), "{name} was changed");
        assert_no_temporary_files(&folder.join("o"));
        names.push(name.to_owned());
    }
    names.dedup();
    names
}

/// The second run has one epoch: a checkpoint grows with the history, so that of a later epoch can be the
/// first that does not fit, and leaves that of the epoch before.
#[test]
fn a_training_on_a_full_disk_names_the_file_and_leaves_the_old_one() {
    let folder = folder(CONFIG, &arrays(3));
    let folder = folder.path();
    assert!(output(folder, &TRAIN).status.success());
    fs::write(folder.join("c.toml"), CONFIG.replace("epochs = 4", "epochs = 1")).unwrap();
    assert_eq!(unwritten(folder, &TRAIN), ["checkpoint.postcard", "report.html"]);
}

/// The checkpoint is already written then, which is larger than the models.
#[test]
fn the_results_on_a_full_disk_leave_the_old_ones() {
    let folder = folder(CONFIG, &arrays(3));
    let folder = folder.path();
    assert!(output(folder, &TRAIN).status.success());
    let resume = [&TRAIN[..], &["--resume"]].concat();
    assert_eq!(unwritten(folder, &resume), ["model.ernn", "report.html"]);
}

#[test]
fn the_other_commands_on_a_full_disk_write_nothing() {
    let folder = folder(CONFIG, &arrays(3));
    let folder = folder.path();
    assert!(output(folder, &TRAIN).status.success());
    let state_dict = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/import_pytorch/lstm.safetensors");
    let quantize = ["quantize", "o/model.ernn", "--calibrate", "d.npz", "-o", "y"];
    let import = ["import", state_dict, "-o", "y"];
    embedded_rnn_trainer::data::write_npy(&folder.join("x.npy"), &[1, 3, 2], &[0.5; 6]).unwrap();
    let predict = ["predict", "o/model.ernn", "--input", "x.npy", "--output", "y"];
    for args in [&quantize[..], &import, &predict] {
        let error = line(limited(folder, 0, args));
        assert!(error.starts_with("y: not written: File too large"), "{error}");
        assert!(!folder.join("y").exists());
        assert_no_temporary_files(folder);
        assert!(limited(folder, 100, args).status.success());
        fs::remove_file(folder.join("y")).unwrap();
    }
}

#[test]
fn tables_and_configs_on_a_full_disk_are_not_written() {
    let folder = folder(CONFIG, &arrays(3));
    let folder = folder.path();
    assert!(output(folder, &TRAIN).status.success());
    let predict = ["predict", "o/model.ernn", "--input", "d.npz", "--output", "y.csv"];
    for (name, args) in [("y.csv", &predict[..]), ("d.toml", &["init", "d.npz"])] {
        let error = line(limited(folder, 0, args));
        assert!(error.starts_with(&format!("{name}: not written: File too large")), "{error}");
        assert!(!folder.join(name).exists());
        assert_no_temporary_files(folder);
        assert!(limited(folder, 100, args).status.success());
    }
}

/// Checks the commands that print with a standard output on a full device.
#[test]
fn results_that_cannot_be_printed_are_an_error() {
    let folder = folder(CONFIG, &arrays(3));
    let folder = folder.path();
    assert!(output(folder, &TRAIN).status.success());
    let eval = ["eval", "o/model.ernn", "--data", "d.npz"];
    let inspect = ["inspect", "o/model.ernn"];
    let quantize = ["quantize", "o/model.ernn", "--calibrate", "d.npz", "-o", "y"];
    for args in [&eval[..], &inspect, &quantize, &TRAIN, &["init", "--keys"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let error = line(ernn(folder, args).stdout(full).output().unwrap());
        assert!(error.contains("No space left on device"), "{error}");
    }
}
