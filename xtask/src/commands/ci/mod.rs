//! The command `cargo xtask ci`.

mod steps;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;
use xtask::cmd::Failures;
use xtask::table::Table;

use steps::{Outcome, STEPS, Step};

/// Runs every check that a change must pass, and lists all failures at the end
#[derive(Args)]
#[command(after_help = "Example:\n  cargo xtask ci\n  cargo xtask ci --only clippy --only fmt")]
pub struct Ci {
    /// Only the steps of these names
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// List the names of the steps
    #[arg(long)]
    list: bool,
}

impl Ci {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        if self.list {
            STEPS.iter().for_each(|(name, _)| println!("{name}"));
            return Ok(());
        }
        let mut failures = Failures::default();
        let mut table = Table::new(&["step", "seconds", "result", "remark"]);
        for (name, step) in self.steps()? {
            eprintln!("== {name}");
            let start = Instant::now();
            let (result, remark) = match failures.note(name, step()) {
                Some(Outcome::Passed(remark)) => ("ok", remark),
                Some(Outcome::Skipped(reason)) => ("skipped", reason),
                None => ("FAILED", String::new()),
            };
            table.row(vec![(*name).into(), seconds(start.elapsed()), result.into(), remark]);
        }
        print!("{table}");
        failures.finish()
    }

    fn steps(&self) -> Result<Vec<&'static Step>> {
        if let Some(unknown) = self.only.iter().find(|only| STEPS.iter().all(|(name, _)| name != only)) {
            bail!("no step `{unknown}`: `cargo xtask ci --list` names them");
        }
        let is_selected = |name: &str| self.only.is_empty() || self.only.iter().any(|only| only == name);
        Ok(STEPS.iter().filter(|(name, _)| is_selected(name)).collect())
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_steps_are_rejected_and_known_ones_found() {
        let ci = |only: &[&str]| Ci { only: only.iter().map(|s| (*s).to_owned()).collect(), list: false };
        assert!(ci(&["no-such-step"]).steps().is_err());
        assert_eq!(ci(&["clippy", "fmt"]).steps().unwrap().len(), 2);
        assert_eq!(ci(&[]).steps().unwrap().len(), STEPS.len());
    }
}
