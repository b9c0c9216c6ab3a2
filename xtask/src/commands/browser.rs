//! Tests of pages in a browser, by the programs in `xtask/browser`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use xtask::cmd::{Cmd, root, target_dir, which};

/// The browser, as Debian calls it.
const CHROMIUM: &str = "chromium";

/// Returns the reason why this machine cannot test pages; `None` if it can.
pub fn missing() -> Option<String> {
    let missing = ["node", CHROMIUM].into_iter().find(|program| which(program).is_none());
    missing.map(|program| format!("{program} is not installed"))
}

/// Creates the command that tests the page at an address; its pictures are in target/pictures.
pub fn test(program: &str, page: &str) -> Result<Cmd> {
    let pictures = target_dir().join("pictures");
    fs::create_dir_all(&pictures)?;
    let chromium = which(CHROMIUM).with_context(|| format!("{CHROMIUM} is not installed"))?;
    let test = Cmd::new("node").args(["--test".into(), root().join("xtask/browser").join(program)]);
    Ok(test.env("PAGE", page).env("CHROMIUM", chromium).env("OUT", pictures))
}

/// Trains the spoken digits and tests the report, as a step of CI.
pub fn check_report() -> Result<()> {
    let folder = target_dir().join("report");
    let config = root().join("trainer/examples/digits/digits.toml");
    ernn("run").args(["--", "train", "--quiet"]).args([&config]).args(["--out"]).args([&folder]).run()?;
    test("report.mjs", &format!("file://{}", folder.join("report.html").display()))?.run()
}

/// Builds the command `ernn` and returns its path.
pub fn build_ernn() -> Result<PathBuf> {
    ernn("build").run()?;
    Ok(target_dir().join("debug/ernn"))
}

/// Creates a command of Cargo on `ernn`, in the profile of the tests, which have built it.
fn ernn(subcommand: &str) -> Cmd {
    Cmd::cargo().args([subcommand, "--package", "embedded-rnn-trainer", "--bin", "ernn"])
}
