//! The protection of a command's inputs from its output.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

/// The flag that permits an output to replace an input.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct Overwrite {
    /// Let the output replace a file that the command reads
    #[arg(long)]
    pub force: bool,
}

impl Overwrite {
    /// Checks that an output does not replace an input, unless that is permitted.
    ///
    /// # Errors
    /// An input that is the same file, whatever the paths.
    pub fn check<'a>(self, output: &Path, inputs: impl IntoIterator<Item = &'a Path>) -> Result<()> {
        // An output that does not exist yet is no input.
        let Ok(output) = fs::canonicalize(output) else { return Ok(()) };
        for input in inputs {
            let is_input = fs::canonicalize(input).is_ok_and(|input| input == output);
            ensure!(
                self.force || !is_input,
                "{}: is the input too: write to another file, or replace it with --force",
                input.display()
            );
        }
        Ok(())
    }
}
