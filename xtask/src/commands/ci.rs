//! `cargo xtask ci`

use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;

use crate::boards::{self, BOARDS};
use crate::cmd::{Cmd, Failures, root};
use crate::commands::{board, setup};
use crate::cross::{self, Choice, ThisMachine, Toolchain};
use crate::data;
use crate::image;
use crate::nets::{Case, DType, NETS};
use crate::table::Table;

/// Everything that a change must pass, in one go, with all failures listed at the end
#[derive(Args)]
#[command(after_help = "Example:\n  cargo xtask ci\n  cargo xtask ci --only clippy --only fmt")]
pub struct Ci {
    /// Only the steps of these names
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// Names of the steps
    #[arg(long)]
    list: bool,
}

/// A step: its name, and what it runs.
type Step = (&'static str, fn() -> Result<()>);

const STEPS: &[Step] = &[
    ("fmt", fmt),
    ("setup", || setup::Setup::default().run()),
    ("data", fetch_data),
    ("test", || Cmd::cargo().args(["test"]).run()),
    ("test-members", test_members),
    ("benches", benches),
    ("clippy", clippy),
    ("clippy-firmware", clippy_firmware),
    ("doc", || {
        let doc = Cmd::cargo().args(["doc", "--workspace", "--no-deps"]);
        doc.env("RUSTDOCFLAGS", "-D warnings").run()
    }),
    ("cross", cross),
    ("boards", || board::BoardArgs::all().run()),
];

impl Ci {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        if self.list {
            STEPS.iter().for_each(|(name, _)| println!("{name}"));
            return Ok(());
        }
        let mut failures = Failures::default();
        let mut times = Table::new(&["step", "seconds", "result"]);
        for (name, step) in self.steps()? {
            eprintln!("== {name}");
            let start = Instant::now();
            let passed = failures.note(name, step()).is_some();
            let result = if passed { "ok" } else { "FAILED" };
            times.row(vec![(*name).into(), seconds(start.elapsed()), result.into()]);
        }
        print!("{times}");
        failures.finish()
    }

    fn steps(&self) -> Result<Vec<&'static Step>> {
        if let Some(unknown) = self.only.iter().find(|only| STEPS.iter().all(|(name, _)| name != only)) {
            anyhow::bail!("no step `{unknown}`: `cargo xtask ci --list` names them");
        }
        Ok(STEPS
            .iter()
            .filter(|(name, _)| self.only.is_empty() || self.only.iter().any(|o| o == name))
            .collect())
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64())
}

fn fmt() -> Result<()> {
    Cmd::cargo().args(["fmt", "--all", "--check"]).run()?;
    Cmd::cargo().args(["fmt", "--check"]).dir(root().join("firmware")).run()
}

fn clippy() -> Result<()> {
    Cmd::cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]).run()
}

/// What is not in the tree. Registries may be out of reach: tests and boards then say what they skip.
fn fetch_data() -> Result<()> {
    for set in data::all().filter(|set| !set.shipped) {
        match set.provide() {
            Ok(done) => eprintln!("{}: {done}", set.name),
            Err(error) => eprintln!("skipped: {}: {error:#}", set.name),
        }
    }
    Ok(())
}

/// The images on every core, whichever net is in them. Only the default toolchain has a clippy.
fn clippy_firmware() -> Result<()> {
    let toolchain = cross::decide(&ThisMachine::look()?, &boards::targets(), Choice::Auto)?;
    if toolchain != Toolchain::Installed {
        eprintln!("skipped: {} has no clippy", toolchain.describe());
        return Ok(());
    }
    let case = Case::prepare(&NETS[0], DType::I8)?;
    BOARDS.iter().try_for_each(|board| {
        image::command(&toolchain, "clippy", board, &case)?.args(["--", "-D", "warnings"]).run()
    })
}

/// The members that the plain `cargo test` leaves out.
fn test_members() -> Result<()> {
    Cmd::cargo()
        .args(["test", "--workspace", "--exclude", "embedded-rnn", "--exclude", "embedded-rnn-trainer"])
        .run()
}

/// Every benchmark once: they run, how fast is not asked. In the profile that the tests have built already.
fn benches() -> Result<()> {
    let bench = ["bench", "--profile", "dev", "--package", "embedded-rnn-benches", "--", "--test"];
    Cmd::cargo().args(bench).run()
}

/// The runtime by itself on every board's target: what a user's firmware builds.
fn cross() -> Result<()> {
    let targets = boards::targets();
    let toolchain = cross::decide(&ThisMachine::look()?, &targets, Choice::Auto)?;
    targets.iter().try_for_each(|target| build_runtime(&toolchain, target))
}

fn build_runtime(toolchain: &Toolchain, target: &str) -> Result<()> {
    let build =
        toolchain.cargo("build", target).args(["--release", "--package", "embedded-rnn", "--target-dir"]);
    build.args([image::target_folder(toolchain)]).run()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_steps_are_refused_and_known_ones_found() {
        let ci = |only: &[&str]| Ci { only: only.iter().map(|s| (*s).to_owned()).collect(), list: false };
        assert!(ci(&["no-such-step"]).steps().is_err());
        assert_eq!(ci(&["clippy", "fmt"]).steps().unwrap().len(), 2);
        assert_eq!(ci(&[]).steps().unwrap().len(), STEPS.len());
    }
}
