//! The same program on an emulated board with a Cortex-M4F, built by gcc for Arm.

use std::path::Path;

use anyhow::{Context, Result, bail};
use xtask::boards::Board;
use xtask::cmd::{Cmd, which};
use xtask::cross::{self, Choice, ThisMachine};

use crate::header;
use crate::library::{self, Core};

const GCC: &str = "arm-none-eabi-gcc";

/// The core of the board.
pub const CORTEX_M4F: Core = Core {
    name: "cortex-m4f",
    target: "thumbv7em-none-eabihf",
    target_cpu: None,
    gcc: &["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"],
};

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
    let board = header::crate_dir().join("examples/board");
    Cmd::new(GCC)
        .args(CORTEX_M4F.gcc)
        .args(["-O2", "-std=c99", "-Wall", "-Wextra", "-Werror", "-ffunction-sections", "-nostartfiles"])
        .args(["-Wl,--gc-sections", "--specs=rdimon.specs", "-I"])
        .args([header::path().parent().unwrap_or(Path::new("."))])
        .args(["-T"])
        .args([board.join("board.ld"), board.join("startup.c"), source.to_path_buf(), library])
        .args(["-o"])
        .args([&image])
        .run()?;
    check_no_panic(&image)?;
    let emulated = Board::named("cortex-m4").context("no board cortex-m4")?;
    Cmd::new(emulated.qemu)
        .args(emulated.machine)
        .args(["-nographic", "-monitor", "none", "-serial", "none"])
        .args(["-semihosting-config", "enable=on,target=native", "-kernel"])
        .args([&image])
        .dir(conformance)
        .run()
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
