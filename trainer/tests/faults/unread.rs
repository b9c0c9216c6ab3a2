//! Data that would be read only in part: arrays with unknown names, and series with missing rows.

use std::fmt::Write;
use std::fs;

use crate::common::{error_line, output};
use crate::data::{CONFIG, Named, arrays, folder, integers, text};

/// Returns the error of training on the arrays and `more`.
fn error_with(more: Vec<Named>) -> String {
    let folder = folder(CONFIG, &[arrays(3), more].into_iter().flatten().collect::<Vec<_>>());
    let error = error_line(folder.path(), &["train", "c.toml"]);
    assert!(!folder.path().join("out").exists());
    error.strip_prefix("d.npz: ").expect("begins with the file").to_owned()
}

#[test]
fn unknown_arrays_are_rejected_with_the_nearest_known_name() {
    for (name, nearest) in [
        ("len_x_train", "len_train"),
        ("len_x_test", "len_test"),
        ("lengths_train", "len_train"),
        ("Len_Test", "len_test"),
        ("len_trian", "len_train"),
        ("lens_y_train", "len_y_train"),
    ] {
        let reason = format!("{name}: unknown array; the nearest known name is {nearest}");
        assert_eq!(error_with(vec![integers(name, &[1, 2])]), reason);
    }
    let known = "x_train, y_train, len_train, len_y_train, sample_weight_train, groups_train, \
                 x_test, y_test, len_test, len_y_test, sample_weight_test, groups_test";
    let reason = |name| format!("{name}: unknown array; known names are {known}");
    assert_eq!(error_with(vec![integers("q", &[1])]), reason("q"));
    assert_eq!(error_with(vec![integers("\u{1b}[1m", &[1])]), reason("\\u{1b}[1m"));
}

#[test]
fn arrays_of_a_part_that_is_not_read_are_rejected() {
    assert_eq!(error_with(vec![integers("len", &[1])]), "len: not used beside x_train");
    let train = |more| arrays(3).into_iter().take(2).chain([integers(more, &[0, 1])]).collect::<Vec<_>>();
    let error = |arrays: &[Named]| error_line(folder(CONFIG, arrays).path(), &["train", "c.toml"]);
    assert_eq!(error(&train("y_test")), "d.npz: y_test: not used without x_test");
    let renamed = |arrays: Vec<Named>| -> Vec<Named> {
        let rename = |array: Named| Named { name: array.name.replace("_train", ""), ..array };
        arrays.into_iter().map(rename).collect()
    };
    let whole = renamed(arrays(3));
    assert_eq!(error(&whole), "d.npz: x_test: not used without x_train");
    assert_eq!(
        error(&renamed(train("lengths"))),
        "d.npz: lengths: unknown array; the nearest known name is len"
    );
}

/// Checks that the names of classes may be part of the file.
#[test]
fn texts_in_a_data_set_are_no_data() {
    let folder = folder(CONFIG, &[arrays(3), vec![text("topics", "cocoa")]].concat());
    let output = output(folder.path(), &["train", "c.toml"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Makes a folder with a config, and a series of 40 rows without that of `missing`; `date` returns the date
/// of a row.
fn series(date: impl Fn(usize) -> String, missing: usize) -> tempfile::TempDir {
    let folder = folder(
        "name = 's'\ndata = { file = 's.csv', split_date = '2002-06', window = 2 }\n\
         layers = [{ type = 'GRU', units = 2 }, { type = 'Dense', units = 1 }]\n\
         training = { loss = 'mse', epochs = 1 }",
        &arrays(3),
    );
    let mut csv = "date,level\n".to_owned();
    let rows = (0..40).filter(|&row| row != missing);
    rows.for_each(|row| writeln!(csv, "{},{row}", date(row)).unwrap());
    fs::write(folder.path().join("s.csv"), csv).unwrap();
    folder
}

#[test]
fn missing_months_of_a_series_are_rejected() {
    let month = |row| format!("{}-{:02}", 2000 + row / 12, row % 12 + 1);
    let reason = "s.csv: no row between 2000-10-01 and 2000-12-01, but other dates are 1 month apart";
    let folder = series(month, 10);
    assert_eq!(error_line(folder.path(), &["train", "c.toml"]), reason);
    let complete = output(series(month, 40).path(), &["train", "c.toml"]);
    assert!(complete.status.success() && complete.stderr.is_empty());
}

#[test]
fn unequal_days_of_a_series_are_a_warning_of_train_and_eval() {
    let folder = series(|row| format!("2002-{:02}-{:02}", 5 + row / 28, row % 28 + 1), 10);
    let warning = "2 of 38 distances of dates are longer than 1 day: they are taken as equal\n";
    let trained = output(folder.path(), &["train", "c.toml", "--out", "o"]);
    let error = String::from_utf8(trained.stderr).unwrap();
    assert!(trained.status.success() && error == format!("warning: s.csv: {warning}"), "{error}");
    let evaluated = output(folder.path(), &["eval", "o/model.ernn", "--data", "c.toml"]);
    let error = String::from_utf8(evaluated.stderr).unwrap();
    assert!(evaluated.status.success() && error == format!("warning: c.toml: {warning}"), "{error}");
}
