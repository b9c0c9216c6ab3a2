//! Damaged files, and files that unpack to too much: an error, in bounded time and memory, or a model.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use crate::edited::zipped;
use crate::golden::{Members, members, unpacked};
use crate::rejected::error_of;

/// The number of mutations per file. A run with 60,000 each in 3 GB showed no panic, and none took 0.15 s.
const MUTATIONS: usize = 250;

fn stored() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored)
}

/// Changes up to four bytes, or truncates the file.
fn mutate(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    if rng.random_range(0..8) == 0 {
        bytes.truncate(rng.random_range(0..bytes.len()));
        return;
    }
    for _ in 0..rng.random_range(1..=4) {
        let at = rng.random_range(0..bytes.len());
        bytes[at] = match rng.random_range(0..4) {
            0 => 0,
            1 => 0xff,
            2 => bytes[at] ^ (1 << rng.random_range(0..8)),
            _ => rng.random(),
        };
    }
}

/// Returns the number of mutations that are still imported, where `file` makes a file of the mutated bytes.
fn survivors(bytes: &[u8], seed: u64, file: impl Fn(Vec<u8>) -> Vec<u8>) -> usize {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let survives = |_: &usize| {
        let mut bytes = bytes.to_vec();
        mutate(&mut bytes, &mut rng);
        error_of(file(bytes)) == "imported"
    };
    (0..MUTATIONS).filter(survives).count()
}

#[test]
fn damaged_files_are_imported_or_rejected() {
    let cases = members("3.15.1");
    for (seed, case) in (1..).step_by(4).zip(["both_ways", "nested", "normalized", "one_step", "slopes"]) {
        let whole = &cases[&format!("{case}.keras")];
        let parts = unpacked(whole.clone());
        let repacked = |name: &str| {
            let (name, parts) = (name.to_owned(), parts.clone());
            move |bytes| {
                let mut parts = parts.clone();
                parts.insert(name.clone(), bytes);
                zipped(&parts, stored())
            }
        };
        let found = [
            survivors(whole, seed, |bytes| bytes),
            survivors(&cases[&format!("{case}.h5")], seed + 1, |bytes| bytes),
            survivors(&parts["model.weights.h5"], seed + 2, repacked("model.weights.h5")),
            survivors(&parts["config.json"], seed + 3, repacked("config.json")),
        ];
        println!("{case}: {found:?} of {MUTATIONS} are imported");
        // A zip has checksums; HDF5 has many bytes without meaning.
        assert!(found.iter().all(|&survivors| survivors < MUTATIONS));
    }
}

#[test]
fn truncated_files_are_rejected() {
    let cases = members("3.15.1");
    for file in ["embedding.keras", "functional_no_time.h5"] {
        let bytes = &cases[file];
        assert_eq!(error_of(bytes.clone()), "imported");
        for end in (0..bytes.len()).step_by(7) {
            assert_ne!(error_of(bytes[..end].to_vec()), "imported", "{file}, {end} bytes");
        }
    }
}

#[test]
fn archives_that_unpack_to_too_much_are_rejected() {
    let parts = unpacked(members("3.15.1")["lstm.keras"].clone());
    let with = |name: &str, bytes: Vec<u8>| {
        let mut parts: Members = parts.clone();
        parts.insert(name.to_owned(), bytes);
        error_of(zipped(&parts, SimpleFileOptions::default()))
    };
    let spaces = vec![b' '; (1 << 24) + 1];
    assert_eq!(
        with("config.json", spaces.clone()),
        "config.json: 16777217 bytes when unpacked, more than the limit of 16777216"
    );
    assert_eq!(
        with("metadata.json", spaces),
        "metadata.json: 16777217 bytes when unpacked, more than the limit of 16777216"
    );
    let nested = with("config.json", vec![b'['; 1 << 20]);
    assert_eq!(nested, "config.json: recursion limit exceeded at line 1 column 128");
    assert_eq!(with("metadata.json", b"{}".to_vec()), "metadata.json: keras_version: missing");
    let old = with("metadata.json", br#"{"keras_version": "1.2.2"}"#.to_vec());
    assert_eq!(old, "keras_version \"1.2.2\": only files of Keras 2 and 3 are supported");
    assert_eq!(
        with("model.weights.h5", Vec::new()),
        "model.weights.h5: not an HDF5 file: invalid HDF5 magic bytes"
    );
    let mut parts = parts.clone();
    parts.remove("model.weights.h5");
    let without = error_of(zipped(&parts, stored()));
    assert_eq!(without, "model.weights.h5: specified file not found in archive");
    assert_eq!(error_of(b"model".to_vec()), "neither a .keras nor an .h5 file by its first bytes");
}

/// Returns the error of a `.keras` file whose directory declares this size of `model.weights.h5`.
fn with_declared_size(size: u32) -> String {
    const NAME: &[u8] = b"model.weights.h5";
    let mut bytes = members("3.15.1")["lstm.keras"].clone();
    let is_entry = |at: &usize| bytes[*at..].starts_with(b"PK\x01\x02") && bytes[at + 46..].starts_with(NAME);
    let entry = (0..bytes.len()).rfind(is_entry).unwrap();
    bytes[entry + 24..entry + 28].copy_from_slice(&size.to_le_bytes());
    error_of(bytes)
}

#[test]
fn declared_sizes_are_limits_of_memory() {
    assert_eq!(
        with_declared_size((1 << 28) + 1),
        "model.weights.h5: 268435457 bytes when unpacked, more than the limit of 268435456"
    );
    assert_eq!(with_declared_size(9), "model.weights.h5: File is larger than its declared uncompressed size");
    // Not enough bytes follow, which costs no memory.
    assert_eq!(with_declared_size(1 << 28), "imported");
}
