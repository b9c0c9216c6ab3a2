//! Unsupported options, each set in the config of a model that is imported otherwise.

use std::io::{Cursor, Write};

use serde_json::Value;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::golden::{Members, members, unpacked};
use crate::rejected::error_of;

/// Returns a zip of these members.
pub fn zipped(members: &Members, options: SimpleFileOptions) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Imports a `.keras` file whose config has `value` at `place`, a JSON pointer into the config of the model,
/// and returns the error.
fn edited(file: &[u8], place: &str, value: Value) -> String {
    let mut parts = unpacked(file.to_vec());
    let mut config: Value = serde_json::from_slice(&parts["config.json"]).unwrap();
    let (object, key) = place.rsplit_once('/').unwrap();
    let object = config.pointer_mut(&format!("/config{object}")).unwrap_or_else(|| panic!("no {object}"));
    match object {
        Value::Array(values) => values[key.parse::<usize>().unwrap()] = value,
        object => object[key] = value,
    }
    parts.insert("config.json".to_owned(), serde_json::to_vec(&config).unwrap());
    error_of(zipped(&parts, SimpleFileOptions::default()))
}

/// The edits, one per line: a case, a place in its config, the new value, and the error.
const EDITS: &str = include_str!("edits.txt");

#[test]
fn unsupported_options_are_rejected_with_the_reason() {
    let members = members("3.15.1");
    let mut wrong = Vec::new();
    for edit in EDITS.lines() {
        let [case, place, value, reason] = edit.splitn(4, " | ").collect::<Vec<_>>()[..] else {
            panic!("{edit}")
        };
        let found = edited(&members[&format!("{case}.keras")], place, serde_json::from_str(value).unwrap());
        if found != reason {
            wrong.push(format!("{edit}\nfound: {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
