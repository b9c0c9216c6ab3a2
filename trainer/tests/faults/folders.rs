//! Outputs that cannot be created: folders in the place of files, read-only folders, and folders that are
//! removed during a training.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::{ernn, error_line, output};
use crate::data::{CONFIG, arrays, folder};

const TRAIN: [&str; 4] = ["train", "c.toml", "--out", "o"];

#[test]
fn a_folder_in_the_place_of_an_output_is_named() {
    for name in ["checkpoint.postcard", "model.ernn", "model.i8.ernn", "history.csv", "report.html"] {
        let folder = folder(CONFIG, &arrays(3));
        let folder = folder.path();
        fs::create_dir_all(folder.join("o").join(name)).unwrap();
        let error = error_line(folder, &TRAIN);
        assert!(error.starts_with(&format!("o/{name}: not written: Is a directory")), "{error}");
        let names = fs::read_dir(folder.join("o")).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(names.into_iter().all(|name| !name.to_string_lossy().ends_with(".tmp")), "{name}");
    }
}

#[test]
fn an_output_folder_that_cannot_be_made_is_named() {
    let folder = folder(CONFIG, &arrays(3));
    let folder = folder.path();
    let error = error_line(folder, &["train", "c.toml", "--out", "c.toml/o"]);
    assert!(error.starts_with("c.toml/o: Not a directory"), "{error}");
    assert_eq!(fs::read_to_string(folder.join("c.toml")).unwrap(), CONFIG);
    // A folder in which nobody creates a file, not even root.
    let error = error_line(folder, &["train", "c.toml", "--out", "/proc/self"]);
    assert!(error.starts_with("/proc/self"), "{error}");
}

#[test]
fn a_read_only_folder_is_named() {
    let folder = folder(CONFIG, &arrays(3));
    let folder = folder.path();
    fs::create_dir(folder.join("o")).unwrap();
    set_writable(&folder.join("o"), false);
    // Permissions do not bind root.
    if fs::write(folder.join("o/probe"), "").is_err() {
        let error = error_line(folder, &TRAIN);
        assert!(error.starts_with("o") && error.contains("Permission denied"), "{error}");
    }
    set_writable(&folder.join("o"), true);
}

fn set_writable(folder: &Path, is_writable: bool) {
    let mut permissions = fs::metadata(folder).unwrap().permissions();
    permissions.set_readonly(!is_writable);
    fs::set_permissions(folder, permissions).unwrap();
}

#[test]
fn a_training_whose_folder_is_removed_ends_with_the_name_of_the_file() {
    let folder = folder(&CONFIG.replace("epochs = 4", "epochs = 1000000"), &arrays(3));
    let folder = folder.path();
    let child = ernn(folder, &TRAIN).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while !folder.join("o/checkpoint.postcard").exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "no checkpoint in a minute");
        sleep(Duration::from_millis(1));
    }
    // A file may be created while its folder is emptied.
    while fs::remove_dir_all(folder.join("o")).is_err() {}
    let ended = child.wait_with_output().unwrap();
    let error = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2), "{error}");
    let reason = error.strip_prefix("ernn: o/checkpoint.postcard: not written: ");
    assert!(reason.is_some_and(|reason| reason.lines().count() == 1), "{error}");
    // The next run starts anew.
    fs::write(folder.join("c.toml"), CONFIG).unwrap();
    assert!(output(folder, &[&TRAIN[..], &["--resume"]].concat()).status.success());
}
