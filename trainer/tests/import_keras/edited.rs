//! Options that are refused, set by themselves in the config of a model that is read.

use std::io::{Cursor, Write};

use serde_json::Value;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::golden::{Members, members, unpacked};
use crate::refused::refusal;

/// A zip of these members.
pub fn zipped(members: &Members, options: SimpleFileOptions) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// What is said of a `.keras` file whose config has `value` at `place`, a path of JSON from the config of the model on.
fn said(file: &[u8], place: &str, value: Value) -> String {
    let mut parts = unpacked(file.to_vec());
    let mut config: Value = serde_json::from_slice(&parts["config.json"]).unwrap();
    let (object, key) = place.rsplit_once('/').unwrap();
    let object = config.pointer_mut(&format!("/config{object}")).unwrap_or_else(|| panic!("no {object}"));
    match object {
        Value::Array(values) => values[key.parse::<usize>().unwrap()] = value,
        object => object[key] = value,
    }
    parts.insert("config.json".to_owned(), serde_json::to_vec(&config).unwrap());
    refusal(zipped(&parts, SimpleFileOptions::default()))
}

/// A line each: a case, a place in its config, what is put there, and what is said then.
const EDITS: &str = include_str!("edits.txt");

#[test]
fn options_that_are_refused_say_why() {
    let members = members("3.15.1");
    let mut wrong = Vec::new();
    for edit in EDITS.lines() {
        let [case, place, value, reason] = edit.splitn(4, " | ").collect::<Vec<_>>()[..] else {
            panic!("{edit}")
        };
        let found = said(&members[&format!("{case}.keras")], place, serde_json::from_str(value).unwrap());
        if found != reason {
            wrong.push(format!("{edit}\nfound: {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
