//! Several processes that write into one folder, and the temporary files that killed ones leave behind.

use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use embedded_rnn_trainer::output::FolderLock;

use crate::common::{ernn, error_line, output};
use crate::data::{CONFIG, arrays, folder};

const TRAIN: [&str; 4] = ["train", "c.toml", "--out", "o"];
const REJECTION: &str = "o: another run writes into this folder";

#[test]
fn a_second_training_is_rejected_until_the_first_is_killed() {
    let folder = folder(&CONFIG.replace("epochs = 4", "epochs = 1000000"), &arrays(3));
    let folder = folder.path();
    let mut first = ernn(folder, &TRAIN).stdout(Stdio::null()).spawn().unwrap();
    let (checkpoint, start) = (folder.join("o/checkpoint.postcard"), Instant::now());
    while !checkpoint.exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "no checkpoint in a minute");
        sleep(Duration::from_millis(1));
    }
    assert_eq!(error_line(folder, &TRAIN), REJECTION);
    assert_eq!(error_line(folder, &[&TRAIN[..], &["--resume"]].concat()), REJECTION);
    assert!(first.try_wait().unwrap().is_none(), "the first still trains");
    first.kill().unwrap();
    first.wait().unwrap();
    fs::write(folder.join("c.toml"), CONFIG).unwrap();
    assert!(output(folder, &TRAIN).status.success());
}

#[test]
fn a_rejected_training_changes_no_file() {
    let folder = folder(CONFIG, &arrays(3));
    let folder = folder.path();
    let out = folder.join("o");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("model.ernn"), "of another run").unwrap();
    fs::write(out.join(".model.ernn.x.tmp"), "of another run").unwrap();
    let lock = FolderLock::acquire(&out).unwrap();
    assert_eq!(error_line(folder, &TRAIN), REJECTION);
    assert_eq!(fs::read(out.join("model.ernn")).unwrap(), b"of another run");
    assert!(out.join(".model.ernn.x.tmp").exists() && !out.join("checkpoint.postcard").exists());
    drop(lock);
    assert!(output(folder, &TRAIN).status.success());
    assert!(!out.join(".model.ernn.x.tmp").exists());
}

#[test]
fn temporary_files_of_all_outputs_are_removed_at_the_start() {
    // A training that fails in its first batch writes nothing itself.
    let folder =
        folder(&CONFIG.replace("batch_size = 8", "batch_size = 8\nlearning_rate = 1e300"), &arrays(3));
    let folder = folder.path();
    let out = folder.join("o");
    fs::create_dir(&out).unwrap();
    let outputs = ["model.ernn", "model.i8.ernn", "history.csv", "report.html", "checkpoint.postcard"];
    let leftovers = outputs.map(|name| out.join(format!(".{name}.x.tmp")));
    leftovers.iter().for_each(|path| fs::write(path, "").unwrap());
    fs::write(out.join(".mine.tmp"), "").unwrap();
    assert!(error_line(folder, &TRAIN).contains("epoch 1: batch 1: "));
    assert!(leftovers.iter().all(|path| !path.exists()));
    assert!(out.join(".mine.tmp").exists());
}

#[test]
fn the_other_commands_remove_temporary_files_of_their_output() {
    let folder = folder(CONFIG, &arrays(3));
    let folder = folder.path();
    assert!(output(folder, &TRAIN).status.success());
    fs::write(folder.join(".q.ernn.x.tmp"), "").unwrap();
    let quantize = ["quantize", "o/model.ernn", "--calibrate", "d.npz", "-o", "q.ernn"];
    assert!(output(folder, &quantize).status.success());
    assert!(!folder.join(".q.ernn.x.tmp").exists());
}
