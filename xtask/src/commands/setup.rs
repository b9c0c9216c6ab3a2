//! `cargo xtask setup`

use anyhow::{Result, bail};
use clap::Args;

use crate::boards;
use crate::cmd::{Cmd, which};
use crate::cross::{self, Choice, ThisMachine};
use crate::needs::{NEEDS, Need};

/// Installs what a Debian machine lacks for the emulated boards; does nothing where all is there
#[derive(Args, Default)]
#[command(after_help = "Example:\n  cargo xtask setup --dry-run")]
pub struct Setup {
    /// Say what is missing, and stop there
    #[arg(long)]
    dry_run: bool,
}

impl Setup {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        self.provide(|need| need.required)?;
        // Debian's compiler is large: it is installed only where the default toolchain gets no targets.
        if can_build(if self.dry_run { Choice::Installed } else { Choice::Auto })? {
            println!("setup: a toolchain for the boards is there");
            return Ok(());
        }
        self.provide(|need| !need.required)?;
        if !self.dry_run {
            cross::decide(&ThisMachine::look()?, &boards::targets(), Choice::Auto)?;
        }
        Ok(())
    }

    fn provide(&self, which_needs: impl Fn(&Need) -> bool) -> Result<()> {
        let missing: Vec<&Need> = NEEDS.iter().filter(|need| which_needs(need) && !need.is_met()).collect();
        for need in &missing {
            println!("setup: {} is missing ({}): package {}", need.name, need.purpose, need.package);
        }
        if missing.is_empty() || self.dry_run {
            return Ok(());
        }
        if which("apt-get").is_none() {
            let names: Vec<&str> = missing.iter().map(|need| need.name).collect();
            bail!("no apt-get here: install by the system's own means {}", names.join(", "));
        }
        apt_get(&["update"]).run()?;
        let packages = missing.iter().map(|need| need.package);
        apt_get(&["install", "--yes", "--no-install-recommends"]).args(packages).run()
    }
}

fn can_build(choice: Choice) -> Result<bool> {
    Ok(cross::decide(&ThisMachine::look()?, &boards::targets(), choice).is_ok())
}

/// `apt-get`, through `sudo` for ordinary users.
fn apt_get(args: &[&str]) -> Cmd {
    let is_root = Cmd::new("id").args(["-u"]).output().is_some_and(|id| id == "0");
    let cmd = if is_root { Cmd::new("apt-get") } else { Cmd::new("sudo").args(["apt-get"]) };
    cmd.args(["-qq", "-o", "Dpkg::Use-Pty=0"]).args(args).env("DEBIAN_FRONTEND", "noninteractive")
}
