//! The files that `cargo xtask data` fetches, and the golden files beside them.

use std::fs;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};

use half::f16;
use npyz::NpyFile;

/// Returns the path of a file in the folder of a network.
pub fn path(net: &str, file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real_nets").join(net).join(file)
}

/// Returns the path of a file of the network's package; without it, reports that the test is skipped.
pub fn package(net: &str, file: &str) -> Option<PathBuf> {
    let path = path(net, "package").join(file);
    if path.exists() {
        return Some(path);
    }
    let line = format!("skipped: {net}: no {file}: `cargo xtask data {net}` fetches it\n");
    // `println` would be captured if the test passes.
    stderr().write_all(line.as_bytes()).unwrap();
    None
}

/// Returns a text file of the network's package.
pub fn source(net: &str, file: &str) -> Option<String> {
    package(net, file).map(|path| fs::read_to_string(path).unwrap())
}

/// Reads a golden file of f32.
pub fn floats(net: &str, file: &str) -> Vec<f32> {
    NpyFile::new(&fs::read(path(net, file)).unwrap()[..]).unwrap().into_vec().unwrap()
}

/// Reads a golden file of the bits of half-precision floats.
pub fn halves(net: &str, file: &str) -> Vec<f32> {
    let bits: Vec<u16> = NpyFile::new(&fs::read(path(net, file)).unwrap()[..]).unwrap().into_vec().unwrap();
    bits.into_iter().map(|bits| f16::from_bits(bits).to_f32()).collect()
}

/// Returns the numbers between the brackets of `const NAME: [type; length] = [..];` in Rust source, or in the
/// file that it includes.
pub fn numbers(source: &str, name: &str, included: impl Fn(&str) -> String) -> Vec<f32> {
    let (_, rest) = source.split_once(&format!("const {name}: ")).unwrap_or_else(|| panic!("no {name}"));
    let (_, rest) = rest.split_once("] =").unwrap();
    let (value, _) = rest.split_once(';').unwrap();
    let value = match value.split_once("include!(\"") {
        Some((_, file)) => included(file.split('"').next().unwrap()),
        None => value.to_owned(),
    };
    let inside = value.split_once('[').unwrap().1.split_once(']').unwrap().0;
    let lines = inside.lines().map(|line| line.split("//").next().unwrap());
    let numbers = lines.flat_map(|line| line.split(',')).map(str::trim).filter(|number| !number.is_empty());
    numbers.map(|number| number.parse().unwrap()).collect()
}
