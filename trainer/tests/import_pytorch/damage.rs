//! Files that are cut short or changed end in an answer or a refusal, and so do headers that lie.

use std::fs;
use std::path::PathBuf;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use crate::golden::{self, Case};
use crate::import;

/// Changed files of each case; all of them take two seconds. (40,000 of each, 1.1 million in all, were gone through once.)
const CHANGED: usize = 400;

/// Where damaged files are written.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("net.safetensors")
    }

    /// Whether these bytes are a network; one that is can be packed, or is refused by then.
    fn is_read(&self, bytes: &[u8], args: &[String]) -> bool {
        fs::write(self.path(), bytes).unwrap();
        let Ok(imported) = import(&self.path(), args) else { return false };
        _ = imported.write::<embedded_rnn::F32>();
        true
    }

    fn refusal(&self, bytes: &[u8]) -> String {
        fs::write(self.path(), bytes).unwrap();
        format!("{:#}", import(&self.path(), &[""; 0]).unwrap_err())
    }
}

#[test]
fn a_file_that_is_cut_short_is_refused() {
    let place = Place::new();
    let bytes = fs::read(golden::path("rnn.safetensors")).unwrap();
    assert!(place.is_read(&bytes, &[]));
    for end in 0..bytes.len() {
        assert!(!place.is_read(&bytes[..end], &[]), "{end} bytes");
    }
}

#[test]
fn changed_bytes_never_panic() {
    let place = Place::new();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut read = 0;
    for Case { name, args, .. } in golden::cases() {
        let bytes = fs::read(golden::path(&format!("{name}.safetensors"))).unwrap();
        let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        for k in 0..CHANGED {
            let mut changed = bytes.clone();
            for _ in 0..rng.random_range(1..4) {
                // Every other one in the header, where more depends on a byte.
                let end = if k % 2 == 0 { header } else { bytes.len() };
                let at = rng.random_range(0..end);
                // Digits for digits: sizes and offsets that are still numbers.
                let digit = changed[at].is_ascii_digit() && rng.random();
                changed[at] = if digit { rng.random_range(b'0'..=b'9') } else { rng.random() };
            }
            read += usize::from(place.is_read(&changed, &args));
        }
    }
    // Some are only other numbers: a test in which all were refused would say little.
    assert!(read > 1000, "{read}");
}

#[test]
fn headers_that_lie_are_refused() {
    let place = Place::new();
    let file = |header: &str, data: usize| {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.resize(bytes.len() + data, 0);
        bytes
    };
    let tensor = |shape: &str, end: u64| {
        format!("{{\"a.weight\":{{\"dtype\":\"U8\",\"shape\":{shape},\"data_offsets\":[0,{end}]}}}}")
    };
    let none = |end: u64| format!("0 bytes of tensors, but {end} in the header");
    let most = u64::MAX / 8;
    // Offsets up to the last number that there is.
    let near_the_end = {
        let part = |k: u64| {
            let (from, to) = (k * most, (k + 1) * most);
            format!("\"{k}\":{{\"dtype\":\"U8\",\"shape\":[{most}],\"data_offsets\":[{from},{to}]}}")
        };
        format!("{{{}}}", (0..8).map(part).collect::<Vec<_>>().join(","))
    };
    for (bytes, expected) in [
        (vec![], "not a .safetensors file: too short".to_owned()),
        (vec![255; 8], format!("a header of {} bytes: at most 4194304 are read", u64::MAX)),
        (vec![9, 0, 0, 0, 0, 0, 0, 0, b'{'], "a header of 9 bytes in 1".to_owned()),
        (file("{}", 0), "no tensors".to_owned()),
        (file("{}", 3), "3 bytes of tensors, but 0 in the header".to_owned()),
        (file(&tensor("[1099511627776]", 1 << 40), 0), none(1 << 40)),
        (file(&near_the_end, 0), none(8 * most)),
        (file(&tensor("[2]", 1), 1), "header: invalid shape, data type, or offset for tensor".to_owned()),
    ] {
        assert_eq!(place.refusal(&bytes), expected);
    }
    for header in [
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        tensor("[4294967296,4294967296,4294967296]", 8),
        tensor("[-1]", 1),
        tensor("[1e3]", 1000),
        tensor("[18446744073709551616]", 1),
    ] {
        let refusal = place.refusal(&file(&header, 8));
        assert!(refusal.starts_with("header: ") && refusal.len() < 300, "{refusal}");
    }
}
