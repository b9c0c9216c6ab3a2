//! Lints of the firmware: its images are built for the boards only, so `cargo clippy` of the workspace leaves
//! them out, and the programs of the real boards.

use anyhow::{Result, ensure};
use xtask::args::DType;
use xtask::boards::{self, BOARDS};
use xtask::cross::{self, Choice, ThisMachine, Toolchain};

use crate::flash;
use crate::image;
use crate::nets::{Case, NETS};

/// Lints the images for every board, with any network in them. Only the default toolchain has a clippy.
pub fn run() -> Result<()> {
    let toolchain = cross::decide(&ThisMachine::look()?, &boards::targets(), Choice::Auto)?;
    ensure!(toolchain == Toolchain::Installed, "no clippy in {}", toolchain.describe());
    let case = Case::prepare(&NETS[0], DType::I8)?;
    BOARDS.iter().try_for_each(|board| {
        image::command(&toolchain, "clippy", board, &case)?.args(["--bins", "--", "-D", "warnings"]).run()
    })?;
    flash::lint(&toolchain)
}
