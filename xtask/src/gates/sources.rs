//! The Rust sources that the checks read.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xtask::cmd::{Cmd, root};

/// A place in a source file, with a remark.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// Line number, from 1.
    pub line: usize,
    /// Remark on the line.
    pub remark: String,
}

/// Returns the Rust files below `folder`, relative to the workspace's root. Files that git ignores are left
/// out.
pub fn rust_files(folder: &str) -> Result<Vec<PathBuf>> {
    let list = ["ls-files", "--cached", "--others", "--exclude-standard", "--"];
    let files = Cmd::new("git").args(list).args([folder]).output().context("`git ls-files` failed")?;
    let files: Vec<PathBuf> = files.lines().map(PathBuf::from).collect();
    if files.is_empty() {
        bail!("{folder}: no files in this folder");
    }
    let is_rust = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "rs");
    Ok(files.into_iter().filter(is_rust).filter(|file| root().join(file).is_file()).collect())
}

/// Reads a file that [`rust_files`] lists.
pub fn read(file: &Path) -> Result<String> {
    fs::read_to_string(root().join(file)).with_context(|| file.display().to_string())
}

/// Applies a check to all Rust files below the folders.
///
/// # Errors
/// One that lists all findings.
pub fn check(folders: &[&str], find: fn(&str) -> Vec<Finding>) -> Result<String> {
    let mut files = 0;
    let mut places = Vec::new();
    for folder in folders {
        for file in rust_files(folder)? {
            files += 1;
            let place = |finding: Finding| format!("{}:{finding}", file.display());
            places.extend(find(&read(&file)?).into_iter().map(place));
        }
    }
    match places.len() {
        0 => Ok(format!("{files} files in {}", folders.join(", "))),
        n => bail!("{n} places\n  {}", places.join("\n  ")),
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.remark)
    }
}
