//! The firmware's images for one board and one net, and what the check image says about a run.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::boards::Board;
use crate::cmd::{Cmd, root};
use crate::cross::Toolchain;
use crate::elf::{self, Contents};
use crate::nets::Case;

/// RAM that the check image needs beside the model: its stack, its buffers, the logger.
const HARNESS_RAM: usize = 4 << 10;

/// A mean over fewer steps is none.
const FEWEST: u32 = 50;

/// Linked images of one net for one board.
pub struct Images {
    /// Runs the recordings.
    pub check: PathBuf,
    /// Opens the model and steps.
    pub size: Contents,
    /// Starts up.
    pub baseline: Contents,
}

/// What became of a build.
pub enum Built {
    /// Images to run.
    Images(Images),
    /// The board has no room for the net; the reason.
    DoesNotFit(String),
}

/// Builds the images.
pub fn build(toolchain: &Toolchain, board: &Board, case: &Case) -> Result<Built> {
    let values = case.steps * case.net.input_size + case.output_len;
    if let Some(reason) = too_large(board, case.model.len(), case.ram_needed + 4 * values) {
        return Ok(Built::DoesNotFit(reason));
    }
    if let Err(failure) = command(toolchain, "build", board, case)?.run_captured()? {
        return match overflow(&failure.stderr) {
            Some(reason) => Ok(Built::DoesNotFit(reason)),
            None => Err(failure.into()),
        };
    }
    let images = target_folder(toolchain).join(board.target).join("release");
    let read = |name| -> Result<Contents> { elf::contents(&fs::read(images.join(name))?) };
    Ok(Built::Images(Images {
        check: images.join("check"),
        size: read("size")?,
        baseline: read("baseline")?,
    }))
}

/// `cargo SUBCOMMAND` on the images, with what their build script asks for.
pub fn command(toolchain: &Toolchain, subcommand: &str, board: &Board, case: &Case) -> Result<Cmd> {
    let folder = target_folder(toolchain);
    let memory_x = folder.join(board.name).with_extension("memory.x");
    fs::create_dir_all(&folder)?;
    fs::write(&memory_x, board.memory_x())?;
    // A lock file that lags behind the runtime is brought up to date on a desk and refused in CI.
    let locked = std::env::var_os("CI").map(|_| "--locked");
    Ok(toolchain
        .cargo(subcommand, board.target)
        .args(locked)
        .args(["--quiet", "--release", "--bins", "--target-dir"])
        .args([&folder])
        .dir(root().join("firmware"))
        .env("BOARD_MODEL", &case.file)
        .env("BOARD_DTYPE", case.dtype.name())
        .env("BOARD_INPUT_SIZE", case.net.input_size.to_string())
        .env("BOARD_STEPS", case.steps.to_string())
        .env("BOARD_OUTPUT_LEN", case.output_len.to_string())
        .env("BOARD_MEMORY_X", &memory_x)
        .env("DEFMT_LOG", "info"))
}

/// Where a toolchain builds for the boards.
pub fn target_folder(toolchain: &Toolchain) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join(toolchain.target_folder())
}

/// Nets that need no linker to see that they do not fit.
fn too_large(board: &Board, model: usize, ram_needed: usize) -> Option<String> {
    let (flash, ram) = (board.flash.length as usize, board.ram.length as usize);
    if model > flash {
        return Some(format!("does not fit: model of {model} bytes, flash of {flash}"));
    }
    let needed = ram_needed + HARNESS_RAM;
    (needed > ram).then(|| format!("does not fit: {needed} bytes of RAM with the harness, {ram} there"))
}

/// The linker's complaint about a full region.
fn overflow(stderr: &str) -> Option<String> {
    let (_, rest) = stderr.split_once("will not fit in region '")?;
    let (region, rest) = rest.split_once('\'')?;
    let bytes = rest.split_once("overflowed by ").and_then(|(_, rest)| rest.split_whitespace().next());
    Some(format!("does not fit: {region} overflowed by {} bytes", bytes.unwrap_or("some")))
}

/// What a step costs, as the check image writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Sum of the counter's ticks over the counted steps.
    pub ticks: u64,
    /// Steps counted.
    pub counted: u32,
    /// Bytes of stack of the deepest step.
    pub stack: u32,
    /// Bytes of the model's memory and of the values that hold it.
    pub ram: u32,
    /// Steps run.
    pub steps: u32,
    /// Ticks of a thousand instructions.
    pub thousand: u32,
}

impl Measured {
    /// Reads `figures.bin`: see `firmware/src/bin/check.rs`.
    pub fn read(file: &Path) -> Result<Self> {
        Self::parse(&fs::read(file).with_context(|| format!("{}: the board left none", file.display()))?)
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        ensure!(bytes.len() == 32, "the board's figures are {} bytes, not 32", bytes.len());
        let (ticks, words) = bytes.split_at(8);
        let ticks = ticks.try_into().map(u64::from_le_bytes)?;
        let word = |i: usize| words[4 * i..4 * i + 4].try_into().map(u32::from_le_bytes);
        let [counted, stack, ram, steps, thousand] = [word(0)?, word(1)?, word(2)?, word(3)?, word(4)?];
        Ok(Self { ticks, counted, stack, ram, steps, thousand })
    }

    /// Mean instructions of a step; an error if the board's row has the wrong counter, or too few steps were counted.
    pub fn instructions_per_step(&self, board: &Board) -> Result<f64> {
        let thousand = board.instructions(self.thousand.into());
        // The nops, and the call around them.
        ensure!((1000.0..1010.0).contains(&thousand), "1000 nops counted as {thousand:.1} instructions");
        ensure!(self.counted >= FEWEST, "only {} steps were counted", self.counted);
        Ok(board.instructions(self.ticks as f64 / f64::from(self.counted)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linkers_complaint_is_understood() {
        let stderr =
            "rust-lld: error: section '.rodata' will not fit in region 'FLASH': overflowed by 91852 bytes\n";
        assert_eq!(overflow(stderr).unwrap(), "does not fit: FLASH overflowed by 91852 bytes");
        assert_eq!(overflow("error: no such symbol"), None);
    }

    #[test]
    fn nets_beyond_a_board_are_seen_without_a_build() {
        let m0 = Board::named("cortex-m0").unwrap();
        assert!(too_large(m0, 346_000, 100).unwrap().contains("flash of 262144"));
        assert!(too_large(m0, 20_000, 15_000).unwrap().contains("RAM"));
        assert_eq!(too_large(m0, 20_000, 1000), None);
    }

    #[test]
    fn figures_are_little_endian_words() {
        let mut bytes = 5_000_000_000u64.to_le_bytes().to_vec();
        bytes.extend([49u32, 96, 700, 50, 1603, 0].map(u32::to_le_bytes).concat());
        let measured = Measured::parse(&bytes).unwrap();
        let ticks = 5_000_000_000;
        assert_eq!(measured, Measured { ticks, counted: 49, stack: 96, ram: 700, steps: 50, thousand: 1603 });
        assert!(Measured::parse(&bytes[..20]).is_err());
    }

    #[test]
    fn a_wrong_counter_or_too_few_steps_are_no_mean() {
        let m4 = Board::named("cortex-m4").unwrap();
        let good = Measured { ticks: 160_000, counted: 50, stack: 0, ram: 0, steps: 51, thousand: 1605 };
        assert_eq!(good.instructions_per_step(m4).unwrap(), 2000.0);
        assert!(Measured { thousand: 1000, ..good }.instructions_per_step(m4).is_err());
        assert!(Measured { counted: 49, ..good }.instructions_per_step(m4).is_err());
    }
}
