//! Runs that are resumed with another config or other data.

use std::fs;

use crate::common::{error_line, output};
use crate::data::{CONFIG, Named, arrays, floats, folder, integers, write_npz};

/// Returns the arrays with lengths.
fn with_lengths() -> Vec<Named> {
    let lengths = [integers("len_train", &[2; 16]), integers("len_test", &[2; 4])];
    [arrays(3), lengths.to_vec()].concat()
}

#[test]
fn resuming_with_changed_data_is_rejected_by_its_part() {
    let folder = folder(CONFIG, &with_lengths());
    let folder = folder.path();
    let train = ["train", "c.toml", "--out", "o"];
    let resume = ["train", "c.toml", "--out", "o", "--resume"];
    assert!(output(folder, &train).status.success());
    let model = fs::read(folder.join("o/model.ernn")).unwrap();
    for (name, part) in [
        ("x_test", "test"),
        ("y_test", "test"),
        ("len_test", "test"),
        ("x_train", "training"),
        ("y_train", "training"),
        ("len_train", "training"),
    ] {
        let mut arrays = with_lengths();
        let array = arrays.iter_mut().find(|array| array.name == name).unwrap();
        // The lowest bit that is read: that of the first value.
        array.bytes[0] ^= 1;
        write_npz(&folder.join("d.npz"), &arrays);
        let reason = format!("belongs to other {part} data: start without --resume");
        assert_eq!(error_line(folder, &resume), format!("o/checkpoint.postcard: {reason}"), "{name}");
    }
    assert_eq!(fs::read(folder.join("o/model.ernn")).unwrap(), model);
}

/// Checks that what does not influence the run may change: the path of the data, the names of the classes,
/// and padding.
#[test]
fn resuming_with_another_path_or_labels_is_accepted() {
    let folder = folder(CONFIG, &with_lengths());
    let folder = folder.path();
    assert!(output(folder, &["train", "c.toml", "--out", "o"]).status.success());
    let mut arrays = with_lengths();
    let padded = arrays.iter_mut().find(|array| array.name == "x_test").unwrap();
    let padding = padded.bytes.len() - 4;
    padded.bytes[padding] ^= 1;
    write_npz(&folder.join("e.npz"), &arrays);
    let config = CONFIG.replace("\"d.npz\"", "\"e.npz\"\nlabels = [\"a\", \"b\"]");
    fs::write(folder.join("c.toml"), config.replace("epochs = 4", "epochs = 5")).unwrap();
    let resumed = output(folder, &["train", "c.toml", "--out", "o", "--resume"]);
    let text = String::from_utf8(resumed.stdout).unwrap();
    assert!(resumed.status.success() && text.starts_with("Resuming after epoch 4\n"), "{text}");
}

/// Checks that validation data that is split off is part of the identity too.
#[test]
fn resuming_with_another_split_is_rejected() {
    let rows: Vec<Named> = arrays(3).into_iter().take(2).collect();
    let folder = folder(CONFIG, &rows);
    let folder = folder.path();
    assert!(output(folder, &["train", "c.toml", "--out", "o"]).status.success());
    let resume = ["train", "c.toml", "--out", "o", "--resume"];
    let belongs =
        |reason: &str| format!("o/checkpoint.postcard: belongs to {reason}: start without --resume");
    let rejected = |reason: &str| assert_eq!(error_line(folder, &resume), belongs(reason));
    let mut changed = rows.clone();
    let sequence = changed[0].bytes.len() / 16;
    let mut found = Vec::new();
    for s in 0..16 {
        changed[0].bytes = rows[0].bytes.clone();
        changed[0].bytes[s * sequence] ^= 1;
        write_npz(&folder.join("d.npz"), &changed);
        found.push(error_line(folder, &resume));
    }
    // A fifth of 16 sequences is four.
    let count = |reason: &str| found.iter().filter(|line| **line == belongs(reason)).count();
    assert_eq!((count("other training data"), count("other validation data")), (12, 4), "{found:?}");
    changed[0] = floats("x_train", &[16, 3, 2], &[0.5; 96]);
    write_npz(&folder.join("d.npz"), &changed);
    rejected("other training data");
    write_npz(&folder.join("d.npz"), &rows);
    let config = CONFIG.replace("\"d.npz\"", "\"d.npz\"\nvalidation_split = 0.3");
    fs::write(folder.join("c.toml"), config).unwrap();
    rejected("another config");
}
