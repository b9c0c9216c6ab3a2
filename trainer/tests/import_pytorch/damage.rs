//! Truncated and changed files end in an import or an error, and so do headers with false declarations.

use std::fs;
use std::path::PathBuf;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use crate::golden::{self, Case};
use crate::import;

/// The number of changed copies per case; all of them take two seconds. (A run of 40,000 each, 1.1 million in
/// all, passed once.)
const CHANGED: usize = 400;

/// The folder of the damaged file.
struct DamagedFile {
    folder: TempDir,
}

impl DamagedFile {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("net.safetensors")
    }

    /// Returns whether these bytes are imported; a network that is imported can be written, or is rejected
    /// then.
    fn is_imported(&self, bytes: &[u8], args: &[String]) -> bool {
        fs::write(self.path(), bytes).unwrap();
        let Ok(imported) = import(&self.path(), args) else { return false };
        _ = imported.write::<embedded_rnn::F32>();
        true
    }

    fn error(&self, bytes: &[u8]) -> String {
        fs::write(self.path(), bytes).unwrap();
        format!("{:#}", import(&self.path(), &[""; 0]).unwrap_err())
    }
}

#[test]
fn truncated_files_are_rejected() {
    let file = DamagedFile::new();
    let bytes = fs::read(golden::path("rnn.safetensors")).unwrap();
    assert!(file.is_imported(&bytes, &[]));
    for end in 0..bytes.len() {
        assert!(!file.is_imported(&bytes[..end], &[]), "{end} bytes");
    }
}

#[test]
fn changed_bytes_never_panic() {
    let file = DamagedFile::new();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut imported = 0;
    for Case { name, args, .. } in golden::cases() {
        let bytes = fs::read(golden::path(&format!("{name}.safetensors"))).unwrap();
        let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        for k in 0..CHANGED {
            let mut changed = bytes.clone();
            for _ in 0..rng.random_range(1..4) {
                // Every other one is changed in the header, where a byte matters more.
                let end = if k % 2 == 0 { header } else { bytes.len() };
                let at = rng.random_range(0..end);
                // Digits become digits, so that sizes and offsets stay numbers.
                let digit = changed[at].is_ascii_digit() && rng.random();
                changed[at] = if digit { rng.random_range(b'0'..=b'9') } else { rng.random() };
            }
            imported += usize::from(file.is_imported(&changed, &args));
        }
    }
    // Some changes only affect values: a test in which all files were rejected would test little.
    assert!(imported > 1000, "{imported}");
}

#[test]
fn false_headers_are_rejected() {
    let damaged = DamagedFile::new();
    let file = |header: &str, data: usize| {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.resize(bytes.len() + data, 0);
        bytes
    };
    let tensor = |shape: &str, end: u64| {
        format!("{{\"a.weight\":{{\"dtype\":\"U8\",\"shape\":{shape},\"data_offsets\":[0,{end}]}}}}")
    };
    let none = |end: u64| format!("0 bytes of tensors, but the header declares {end}");
    let most = u64::MAX / 8;
    // Offsets up to the largest integer.
    let near_the_end = {
        let part = |k: u64| {
            let (from, to) = (k * most, (k + 1) * most);
            format!("\"{k}\":{{\"dtype\":\"U8\",\"shape\":[{most}],\"data_offsets\":[{from},{to}]}}")
        };
        format!("{{{}}}", (0..8).map(part).collect::<Vec<_>>().join(","))
    };
    for (bytes, expected) in [
        (vec![], "not a .safetensors file: too short".to_owned()),
        (vec![255; 8], format!("header of {} bytes: at most 4194304 are supported", u64::MAX)),
        (vec![9, 0, 0, 0, 0, 0, 0, 0, b'{'], "header of 9 bytes, but only 1 are left".to_owned()),
        (file("{}", 0), "no tensors".to_owned()),
        (file("{}", 3), "3 bytes of tensors, but the header declares 0".to_owned()),
        (file(&tensor("[1099511627776]", 1 << 40), 0), none(1 << 40)),
        (file(&near_the_end, 0), none(8 * most)),
        (file(&tensor("[2]", 1), 1), "header: invalid shape, data type, or offset for tensor".to_owned()),
    ] {
        assert_eq!(damaged.error(&bytes), expected);
    }
    for header in [
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        tensor("[4294967296,4294967296,4294967296]", 8),
        tensor("[-1]", 1),
        tensor("[1e3]", 1000),
        tensor("[18446744073709551616]", 1),
    ] {
        let error = damaged.error(&file(&header, 8));
        assert!(error.starts_with("header: ") && error.len() < 300, "{error}");
    }
}
