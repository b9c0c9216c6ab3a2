//! The program in docs/c.md, which users copy.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xtask::cmd::{Cmd, root};

/// Writes the program and the header of its model, as the page does, and returns the path of the program.
pub fn example(folder: &Path) -> Result<PathBuf> {
    let page = fs::read_to_string(root().join("docs/c.md")).context("docs/c.md")?;
    let program = folder.join("example.c");
    fs::write(&program, block(&page).context("docs/c.md has no block of C")?)?;
    model_header(folder)?;
    Ok(program)
}

/// Writes the header of the page's model into a folder, and returns its path.
pub fn model_header(folder: &Path) -> Result<PathBuf> {
    let model = "runtime/tests/data/tiny.i8.ernn";
    let ernn = ["run", "--quiet", "--package", "embedded-rnn-trainer", "--bin", "ernn", "--"];
    let header = folder.join("tiny.h");
    Cmd::cargo().args(ernn).args(["header", model, "-o"]).args([&header]).run()?;
    Ok(header)
}

/// Returns the first block of C in a page.
fn block(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("\n```c\n")?;
    Some(rest.split_once("\n```\n")?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_block_of_c_is_found() {
        assert_eq!(block("a\n```rust\nx\n```\n\n```c\nint y;\nint z;\n```\nb"), Some("int y;\nint z;"));
        assert_eq!(block("no block"), None);
    }
}
