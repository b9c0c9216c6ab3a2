//! The tables of the fuzz crates and their targets.

/// A crate of fuzz targets, outside the workspace.
pub struct FuzzCrate {
    /// Its folder.
    pub folder: &'static str,
    /// A folder with first inputs. The targets of a crate without one write their own.
    pub seeds: Option<&'static str>,
    /// `true` if it is built with AddressSanitizer where the toolchain has it: it covers `unsafe` code.
    pub is_sanitized: bool,
    /// The largest input in bytes.
    pub max_len: usize,
    /// The names of its targets.
    pub targets: &'static [&'static str],
}

/// All fuzz crates.
pub const CRATES: [FuzzCrate; 2] = [
    FuzzCrate {
        folder: "runtime/fuzz",
        seeds: Some("runtime/tests/data"),
        is_sanitized: true,
        max_len: 1 << 12,
        targets: &["model", "saved"],
    },
    FuzzCrate {
        folder: "trainer/fuzz",
        seeds: None,
        is_sanitized: false,
        max_len: 1 << 16,
        targets: &["keras", "h5", "onnx", "safetensors", "config", "csv", "npz", "checkpoint"],
    },
];

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{CRATES, FuzzCrate};
    use xtask::cmd::root;

    #[test]
    fn the_table_has_all_targets_of_the_crates() {
        for FuzzCrate { folder, targets, .. } in CRATES {
            let files = fs::read_dir(root().join(folder).join("fuzz_targets")).unwrap();
            let mut found: Vec<String> =
                files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
            let mut expected: Vec<String> = targets.iter().map(|name| format!("{name}.rs")).collect();
            found.sort();
            expected.sort();
            assert_eq!(found, expected);
        }
    }
}
