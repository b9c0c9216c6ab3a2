//! The same program on an emulated board with a Cortex-M4F, built by gcc for Arm.

use std::path::Path;

use anyhow::{Context, Result, bail};
use xtask::boards::Board;
use xtask::cmd::{Cmd, which};
use xtask::cross::{self, Choice, ThisMachine};

use crate::cores::{CORTEX_M4F, Core};
use crate::{header, library};

/// The compiler.
pub const GCC: &str = "arm-none-eabi-gcc";

/// Names in a panic of Rust, none of which may be linked.
const PANICS: [&str; 2] = ["rust_begin_unwind", "panicking"];

/// Builds the program and runs it in the folder of the vectors, where gcc for Arm is installed.
pub fn run(source: &Path, folder: &Path, conformance: &Path) -> Result<()> {
    if which(GCC).is_none() {
        println!("skipped: {GCC} is not installed: package gcc-arm-none-eabi");
        return Ok(());
    }
    let toolchain = cross::decide(&ThisMachine::look()?, &[CORTEX_M4F.target], Choice::Auto)?;
    let library = library::build(&toolchain, &CORTEX_M4F)?;
    let image = folder.join("replay-cortex-m4f.elf");
    link(&CORTEX_M4F, source, &library, &image)?;
    let emulated = Board::named("cortex-m4").context("no board cortex-m4")?;
    Cmd::new(emulated.qemu)
        .args(emulated.machine)
        .args(["-nographic", "-monitor", "none", "-serial", "none"])
        .args(["-semihosting-config", "enable=on,target=native", "-kernel"])
        .args([&image])
        .dir(conformance)
        .run()
}

/// Links a program of one source for a core, with the memory of the emulated board. It must contain no panic.
pub fn link(core: &Core, source: &Path, library: &Path, image: &Path) -> Result<()> {
    let board = header::crate_dir().join("examples/board");
    Cmd::new(GCC)
        .args(core.gcc)
        .args(["-O2", "-std=c99", "-Wall", "-Wextra", "-Werror", "-ffunction-sections", "-nostartfiles"])
        .args(["-Wl,--gc-sections", "--specs=rdimon.specs", "-I"])
        .args([header::path().parent().unwrap_or(Path::new("."))])
        .args(["-T"])
        .args([&board.join("board.ld"), &board.join("startup.c"), source, library])
        .args(["-o"])
        .args([image])
        .run()?;
    check_no_panic(image)
}

/// Fails if the image contains a panic.
fn check_no_panic(image: &Path) -> Result<()> {
    let symbols = Cmd::new("arm-none-eabi-nm").args([image]).output().context("arm-none-eabi-nm failed")?;
    let panics: Vec<&str> =
        symbols.lines().filter(|line| PANICS.iter().any(|name| line.contains(name))).collect();
    match panics.first() {
        None => Ok(()),
        Some(first) => bail!("{}: {} symbols of panics, such as {first}", image.display(), panics.len()),
    }
}
