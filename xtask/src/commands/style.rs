//! The command `cargo xtask style`.

use anyhow::Result;
use clap::Args;
use xtask::cmd::Failures;

use crate::gates::{function_docs, line_width, module_cycles, sources};
use crate::metadata;

/// Lists the import cycles of all crates, and the docs and lines in some folders that break the rules of
/// style
#[derive(Args)]
#[command(after_help = "Example:\n  cargo xtask style runtime trainer/src")]
pub struct Style {
    /// Folders to search, from the root of the tree
    #[arg(value_name = "FOLDER", default_value = ".")]
    folders: Vec<String>,
}

impl Style {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        let folders: Vec<&str> = self.folders.iter().map(String::as_str).collect();
        let mut failures = Failures::default();
        failures
            .note("module-cycles", metadata::members().and_then(|members| module_cycles::check(&members)));
        failures.note("function-docs", sources::check(&folders, function_docs::find));
        failures.note("line-width", sources::check(&folders, line_width::find));
        failures.finish()
    }
}
