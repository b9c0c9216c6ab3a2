//! The firmware's images for one board and one net, and what the check image says about a run.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::boards::Board;
use crate::cmd::root;
use crate::cross::Toolchain;
use crate::elf::{self, Contents};
use crate::nets::Case;

/// RAM that the check image needs beside the model: its stack, its buffers, the logger.
const HARNESS_RAM: usize = 4 << 10;

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
    if let Some(reason) = too_large(board, case.model.len(), case.ram_needed) {
        return Ok(Built::DoesNotFit(reason));
    }
    let target_dir = target_dir().join(toolchain.target_folder());
    let memory_x = target_dir.join(board.name).with_extension("memory.x");
    fs::create_dir_all(&target_dir)?;
    fs::write(&memory_x, board.memory_x())?;
    let cmd = toolchain
        .cargo("build", board.target)
        .args(["--quiet", "--release", "--locked", "--bins", "--target-dir"])
        .args([&target_dir])
        .dir(root().join("firmware"))
        .env("BOARD_MODEL", &case.file)
        .env("BOARD_DTYPE", case.dtype.name())
        .env("BOARD_INPUT_SIZE", case.net.input_size.to_string())
        .env("BOARD_MEMORY_X", &memory_x)
        .env("DEFMT_LOG", "info");
    if let Err(failure) = cmd.run_captured()? {
        return match overflow(&failure.stderr) {
            Some(reason) => Ok(Built::DoesNotFit(reason)),
            None => Err(failure.into()),
        };
    }
    let images = target_dir.join(board.target).join("release");
    let read = |name| -> Result<Contents> { elf::contents(&fs::read(images.join(name))?) };
    Ok(Built::Images(Images {
        check: images.join("check"),
        size: read("size")?,
        baseline: read("baseline")?,
    }))
}

/// Where cargo builds.
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
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
#[derive(Debug, PartialEq, Eq)]
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
}

impl Measured {
    /// Reads `figures.bin`: see `firmware/src/bin/check.rs`.
    pub fn read(file: &Path) -> Result<Self> {
        Self::parse(&fs::read(file).with_context(|| format!("{}: the board left none", file.display()))?)
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        ensure!(bytes.len() == 24, "the board's figures are {} bytes, not 24", bytes.len());
        let (ticks, words) = bytes.split_at(8);
        let ticks = ticks.try_into().map(u64::from_le_bytes)?;
        let word = |i: usize| words[4 * i..4 * i + 4].try_into().map(u32::from_le_bytes);
        Ok(Self { ticks, counted: word(0)?, stack: word(1)?, ram: word(2)?, steps: word(3)? })
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
        bytes.extend([49u32, 96, 700, 50].map(u32::to_le_bytes).concat());
        let measured = Measured::parse(&bytes).unwrap();
        assert_eq!(measured, Measured { ticks: 5_000_000_000, counted: 49, stack: 96, ram: 700, steps: 50 });
        assert!(Measured::parse(&bytes[..20]).is_err());
    }
}
