//! `ernn header`: the array has the bytes of the file, and the constants are its sizes.

use std::fs;
use std::path::Path;

use embedded_rnn::AnyModel;

use crate::common::{error_line, output};

/// Runs the command on a test model of the runtime, and returns the bytes of that and the header.
fn header(folder: &Path, file: &str) -> (Vec<u8>, String) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/tests/data");
    let bytes = fs::read(data.join(file)).unwrap();
    fs::write(folder.join(file), &bytes).unwrap();
    let output = output(folder, &["header", file, "-o", "model.h"]);
    assert!(output.status.success(), "{output:?}");
    (bytes, fs::read_to_string(folder.join("model.h")).unwrap())
}

/// Returns the value of a constant.
fn constant<'t>(text: &'t str, name: &str) -> &'t str {
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("#define {name} ")));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).split(" //").next().unwrap()
}

#[test]
fn the_array_and_the_constants_are_those_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    for (file, prefix) in [("letters.i8.ernn", "LETTERS"), ("tiny.ernn", "TINY"), ("tiny.f16.ernn", "TINY")] {
        let (bytes, text) = header(folder.path(), file);
        let (_, array) = text.split_once("_model[").unwrap();
        let (_, array) = array.split_once('{').unwrap();
        let (array, _) = array.split_once('}').unwrap();
        let values = array.split(',').map(str::trim).filter(|value| !value.is_empty());
        assert_eq!(values.map(|value| value.parse().unwrap()).collect::<Vec<u8>>(), bytes, "{file}");
        let model = AnyModel::read(folder.path().join(file)).unwrap();
        let number = |name: &str| constant(&text, &format!("{prefix}_{name}")).parse().unwrap();
        let sizes: [usize; 4] = ["INPUT", "OUTPUT", "LEN", "DTYPE"].map(number);
        assert_eq!(
            sizes,
            [model.input_size(), model.output_size(), bytes.len(), model.dtype() as usize],
            "{file}"
        );
        let sizes: [usize; 3] = ["RAM", "RAM_PER_STEP", "SAVED"].map(number);
        let preamble = model.preamble();
        let saved = embedded_rnn::saved_len(&bytes);
        assert_eq!(sizes, [preamble.ram_needed as usize, preamble.ram_per_step as usize, saved], "{file}");
        let scale = constant(&text, &format!("{prefix}_OUTPUT_SCALE")).strip_suffix('f').unwrap();
        assert_eq!(scale.parse(), Ok(preamble.output_scale));
    }
}

#[test]
fn labels_are_strings() {
    let folder = tempfile::tempdir().unwrap();
    let (_, text) = header(folder.path(), "letters.i8.ernn");
    assert_eq!(constant(&text, "LETTERS_LABELS"), "5");
    assert!(text.contains("{\n    \".\",\n    \"a\",\n    \"e\",\n    \"n\",\n    \"r\",\n}"), "{text}");
    let (_, text) = header(folder.path(), "bidirectional.i8.ernn");
    assert_eq!(constant(&text, "BIDIRECTIONAL_LABELS"), "0");
    assert!(constant(&text, "BIDIRECTIONAL_RAM_PER_STEP") != "0");
}

#[test]
fn other_files_and_names_are_rejected_on_one_line() {
    let folder = tempfile::tempdir().unwrap();
    header(folder.path(), "tiny.i8.ernn");
    fs::remove_file(folder.path().join("model.h")).unwrap();
    fs::write(folder.path().join("text.ernn"), "no model").unwrap();
    let rejected = |args: &[&str]| error_line(folder.path(), &[&["header"], args].concat());
    assert!(rejected(&["text.ernn", "-o", "model.h"]).starts_with("text.ernn: not a model file"));
    let error = rejected(&["tiny.i8.ernn", "--name", "a-b", "-o", "model.h"]);
    assert_eq!(error, "--name: `a-b` is not an identifier of C");
    assert!(rejected(&["tiny.i8.ernn", "-o", "tiny.i8.ernn"]).contains("is the input too"));
    assert!(!folder.path().join("model.h").exists());
}
