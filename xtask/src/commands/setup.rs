//! `cargo xtask setup`

use anyhow::{Result, bail};
use clap::Args;

use crate::cmd::{Cmd, Failures, which};
use crate::needs::{NEEDS, Need};

/// Installs what a Debian machine lacks for the emulated boards; does nothing where all is there
#[derive(Args, Default)]
#[command(after_help = "Example:\n  cargo xtask setup")]
pub struct Setup {
    /// Say what would be installed, and stop there
    #[arg(long)]
    dry_run: bool,
}

impl Setup {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        let missing: Vec<&Need> = NEEDS.iter().filter(|need| !need.is_met()).collect();
        if missing.is_empty() {
            println!("setup: all {} needs are met", NEEDS.len());
            return Ok(());
        }
        for need in &missing {
            println!("setup: {} is missing ({}): package {}", need.name, need.purpose, need.package);
        }
        if self.dry_run {
            return Ok(());
        }
        if which("apt-get").is_none() {
            bail!(
                "no apt-get here: install by the system's own means {}; the boards' targets come by `rustup target add`",
                names(&missing)
            );
        }
        install(&missing)
    }
}

/// Required packages in one call; the substitutes in another, which may fail where a distribution lacks them.
fn install(missing: &[&Need]) -> Result<()> {
    apt_get(&["update"]).run()?;
    let (required, optional): (Vec<&Need>, Vec<&Need>) =
        missing.iter().copied().partition(|need| need.required);
    let mut failures = Failures::default();
    for (needs, fatal) in [(required, true), (optional, false)] {
        if needs.is_empty() {
            continue;
        }
        let packages = needs.iter().map(|need| need.package);
        let result = apt_get(&["install", "--yes", "--no-install-recommends"]).args(packages).run();
        match result {
            Err(error) if !fatal => println!("setup: {error:#}; the boards then need `rustup target add`"),
            other => {
                failures.note("setup", other);
            }
        }
    }
    failures.finish()
}

/// `apt-get`, through `sudo` for ordinary users.
fn apt_get(args: &[&str]) -> Cmd {
    let is_root = Cmd::new("id").args(["-u"]).output().is_some_and(|id| id == "0");
    let cmd = if is_root { Cmd::new("apt-get") } else { Cmd::new("sudo").args(["apt-get"]) };
    cmd.args(["-qq", "-o", "Dpkg::Use-Pty=0"]).args(args).env("DEBIAN_FRONTEND", "noninteractive")
}

fn names(needs: &[&Need]) -> String {
    needs.iter().filter(|need| need.required).map(|need| need.name).collect::<Vec<_>>().join(", ")
}
