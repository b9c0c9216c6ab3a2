//! A set: files made from a package.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xtask::cmd::root;
use xtask::files;

use crate::npz::Arrays;
use crate::package::Package;

/// A data set or a third-party model.
pub struct Set {
    /// Name of its folder.
    pub name: &'static str,
    /// `true` if its file is in the tree; the others are fetched by `cargo xtask data`.
    pub shipped: bool,
    /// Source of the files.
    pub package: Package,
    /// Conversion of the package.
    pub make: Make,
}

/// Conversion of a package into files.
pub enum Make {
    /// The arrays of an example, in one file.
    Arrays(fn(&[u8]) -> Result<Made>),
    /// Unchanged files for a test: all whose paths start with one of these.
    Files(&'static [&'static str]),
}

/// Arrays made from a package.
pub struct Made {
    /// Content of the `.npz` file.
    pub arrays: Arrays,
    /// Description for the log.
    pub summary: String,
}

impl Set {
    /// Returns the path from the root of the tree: a file, or a folder of files.
    pub fn path(&self) -> PathBuf {
        match self.make {
            Make::Arrays(_) => {
                ["trainer", "examples", self.name, &format!("{}.npz", self.name)].iter().collect()
            }
            Make::Files(_) => ["trainer", "tests", "real_nets", self.name, "package"].iter().collect(),
        }
    }

    /// Fetches the package and writes the files. Returns a description for the log.
    pub fn provide(&self) -> Result<String> {
        let package = self.package.fetch()?;
        let provide = || match self.make {
            Make::Arrays(make) => self.write_arrays(make(&package)?),
            Make::Files(paths) => self.write_files(self.package.files(&package, paths)?),
        };
        provide().with_context(|| self.package.file)
    }

    fn write_arrays(&self, Made { arrays, summary }: Made) -> Result<String> {
        let (bytes, shapes) = arrays.finish()?;
        let done = write(&root().join(self.path()), &bytes)?;
        Ok(format!("{summary}\n  {} {done}, {} bytes: {shapes}", self.path().display(), bytes.len()))
    }

    fn write_files(&self, files: Vec<(PathBuf, Vec<u8>)>) -> Result<String> {
        let mut lines = format!("{} files", files.len());
        for (path, bytes) in files {
            let path = self.path().join(path);
            let file = root().join(&path);
            let done = write(&file, &bytes)?;
            lines += &format!("\n  {} {done}, {} bytes", path.display(), bytes.len());
        }
        Ok(lines)
    }
}

/// Writes a file unless it exists with the same content. Returns a description for the log.
fn write(file: &Path, bytes: &[u8]) -> Result<&'static str> {
    if fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok("is up to date");
    }
    files::replace(file, bytes)?;
    Ok("written")
}
