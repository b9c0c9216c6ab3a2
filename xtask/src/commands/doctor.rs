//! `cargo xtask doctor`

use anyhow::{Result, bail};
use clap::Args;
use xtask::boards::BOARDS;
use xtask::cross::{Machine, ThisMachine};
use xtask::needs::{NEEDS, Role};
use xtask::table::Table;

/// Lists the requirements that are present and missing, and how to install them; fails if the boards cannot
/// run
#[derive(Args)]
#[command(after_help = "Example:\n  cargo xtask doctor")]
pub struct Doctor {}

impl Doctor {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        let machine = ThisMachine::look()?;
        let mut table = Table::new(&["requirement", "state", "for", "how to install it"]);
        let mut line = |name: &str, present: bool, purpose: &str, how: &str| {
            let (state, how) = if present { ("present", "") } else { ("missing", how) };
            table.row([name, state, purpose, how].map(str::to_owned).to_vec());
        };
        for need in NEEDS {
            let how = format!("cargo xtask setup, or package {}", need.package);
            line(need.name, need.is_met(), need.purpose, &how);
        }
        for board in BOARDS {
            let how = format!("rustup target add {}", board.target);
            line(board.target, machine.has_target(board.target), board.name, &how);
        }
        line("rust-src", machine.has_rust_src(), "builds core for targets", "rustup component add rust-src");
        print!("{table}");
        verdict(&machine)
    }
}

/// Checks that the boards can run. Targets may be missing if some toolchain builds `core`; nothing is
/// installed.
fn verdict(machine: &impl Machine) -> Result<()> {
    let emulators = NEEDS.iter().filter(|need| need.role == Role::Boards && !need.is_met());
    let mut missing: Vec<String> = emulators.map(|need| need.name.to_owned()).collect();
    if !machine.has_rust_src() && machine.debian().is_none() {
        let targets = BOARDS.iter().map(|board| board.target).filter(|target| !machine.has_target(target));
        missing.extend(targets.map(str::to_owned));
    }
    if !missing.is_empty() {
        bail!("`cargo xtask board --all` cannot run without {}", missing.join(", "));
    }
    println!("doctor: `cargo xtask board --all` can run");
    Ok(())
}
