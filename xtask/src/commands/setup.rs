//! `cargo xtask setup`

use anyhow::{Result, bail};
use clap::Args;
use xtask::boards;
use xtask::cmd::{Cmd, which};
use xtask::cross::{self, Choice, ThisMachine};
use xtask::needs::{NEEDS, Need, Role};

/// Installs the missing requirements of emulated boards, C programs and tests of pages on a Debian machine
#[derive(Args, Default)]
#[command(after_help = "Example:\n  cargo xtask setup --dry-run")]
pub struct Setup {
    /// Only list the missing requirements
    #[arg(long)]
    dry_run: bool,
}

impl Setup {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        self.provide(Role::Boards)?;
        for (role, skipped) in [(Role::C, "the board of `cargo xtask c`"), (Role::Browser, "tests of pages")]
        {
            if let Err(error) = self.provide(role) {
                println!("setup: skipped: {skipped}: {error:#}");
            }
        }
        // Debian's compiler is large: it is installed only where the default toolchain cannot add the
        // targets.
        if can_build(if self.dry_run { Choice::Installed } else { Choice::Auto })? {
            println!("setup: a toolchain for the boards is present");
            return Ok(());
        }
        self.provide(Role::Toolchain)?;
        if !self.dry_run {
            cross::decide(&ThisMachine::look()?, &boards::targets(), Choice::Auto)?;
        }
        Ok(())
    }

    fn provide(&self, role: Role) -> Result<()> {
        let missing: Vec<&Need> = NEEDS.iter().filter(|need| need.role == role && !need.is_met()).collect();
        for need in &missing {
            println!("setup: {} is missing ({}): package {}", need.name, need.purpose, need.package);
        }
        if missing.is_empty() || self.dry_run {
            return Ok(());
        }
        if which("apt-get").is_none() {
            let names: Vec<&str> = missing.iter().map(|need| need.name).collect();
            bail!("no apt-get on this machine: install {} with its package manager", names.join(", "));
        }
        apt_get(&["update"]).run()?;
        let packages = missing.iter().map(|need| need.package);
        apt_get(&["install", "--yes", "--no-install-recommends"]).args(packages).run()
    }
}

fn can_build(choice: Choice) -> Result<bool> {
    Ok(cross::decide(&ThisMachine::look()?, &boards::targets(), choice).is_ok())
}

/// Creates an `apt-get` command, through `sudo` for ordinary users.
fn apt_get(args: &[&str]) -> Cmd {
    let is_root = Cmd::new("id").args(["-u"]).output().is_some_and(|id| id == "0");
    let cmd = if is_root { Cmd::new("apt-get") } else { Cmd::new("sudo").args(["apt-get"]) };
    cmd.args(["-qq", "-o", "Dpkg::Use-Pty=0"]).args(args).env("DEBIAN_FRONTEND", "noninteractive")
}
