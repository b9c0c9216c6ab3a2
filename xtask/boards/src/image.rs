//! The firmware's images for one board and one network, and the figures that the check image reports.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use xtask::boards::Board;
use xtask::cmd::{Cmd, root};
use xtask::cross::Toolchain;

use crate::conformance::MAX_IDS;
use crate::elf::{self, Contents};
use crate::nets::Case;
use crate::rustc;

/// Bytes of RAM that the check image needs besides the model: its stack, its buffers, the logger.
const HARNESS_RAM: usize = 4 << 10;

/// Fewest counted steps for a mean.
const FEWEST_STEPS: u32 = 50;

/// Linked images of one network for one board.
pub struct Images {
    /// Path of the check image, which runs the test vectors.
    pub check: PathBuf,
    /// Contents of the smallest image that runs the model.
    pub size: Contents,
    /// Contents of the image that only starts up.
    pub baseline: Contents,
}

/// Result of a build.
pub enum Built {
    /// Images to run.
    Images(Images),
    /// The board is too small for the network; the reason.
    DoesNotFit(String),
}

/// Builds the images of a network for a board.
pub fn build(toolchain: &Toolchain, board: &Board, case: &Case) -> Result<Built> {
    let values = case.steps * case.net.input_size + case.output_len;
    if let Some(reason) = too_large(board, case.model.len(), case.ram_needed + 4 * values) {
        return Ok(Built::DoesNotFit(reason));
    }
    let bins = ["--bin", "check", "--bin", "size", "--bin", "baseline"];
    if let Err(failure) = command(toolchain, "build", board, case)?.args(bins).run_captured()? {
        return match overflow(&failure.stderr) {
            Some(reason) => Ok(Built::DoesNotFit(reason)),
            None => Err(failure.into()),
        };
    }
    let images = folder(toolchain, board);
    let read = |name| -> Result<Contents> { elf::contents(&fs::read(images.join(name))?) };
    Ok(Built::Images(Images {
        check: images.join("check"),
        size: read("size")?,
        baseline: read("baseline")?,
    }))
}

/// Returns the folder of a board's images: boards are built side by side, and some with flags of their own.
fn target_dir(toolchain: &Toolchain, board: &Board) -> PathBuf {
    toolchain.target_dir().join(board.name)
}

/// Returns the folder with a board's linked images.
pub fn folder(toolchain: &Toolchain, board: &Board) -> PathBuf {
    target_dir(toolchain, board).join(board.target).join("release")
}

/// Creates the command `cargo SUBCOMMAND` on the images, with the variables that their build script requires.
pub fn command(toolchain: &Toolchain, subcommand: &str, board: &Board, case: &Case) -> Result<Cmd> {
    let folder = target_dir(toolchain, board);
    let memory_x = folder.join("board.memory.x");
    fs::create_dir_all(&folder)?;
    fs::write(&memory_x, board.memory_x())?;
    Ok(rustc::wrap(cargo(toolchain, subcommand, board, &folder))?
        .dir(root().join("firmware"))
        .env("BOARD_MODEL", &case.file)
        .env("BOARD_STEPS", case.steps.to_string())
        .env("BOARD_MAX_IDS", MAX_IDS.to_string())
        .env("BOARD_MEMORY_X", &memory_x))
}

/// Creates the command `cargo SUBCOMMAND` for a board's core, with what all programs of boards share.
pub fn cargo(toolchain: &Toolchain, subcommand: &str, board: &Board, folder: &Path) -> Cmd {
    // A lock file older than the runtime's manifest is updated on a desk and an error in CI.
    let locked = std::env::var_os("CI").map(|_| "--locked");
    let mut flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    flags.extend(board.target_cpu.map(|cpu| format!(" -Ctarget-cpu={cpu}")));
    flags.extend(board.target_feature.map(|feature| format!(" -Ctarget-feature={feature}")));
    toolchain
        .cargo(subcommand, board.target)
        .env("RUSTFLAGS", flags.trim())
        .env("DEFMT_LOG", "info")
        .args(locked)
        .args(["--quiet", "--release", "--target-dir"])
        .args([folder])
}

/// Returns the reason if the network is too large for the board even before linking.
fn too_large(board: &Board, model: usize, ram_needed: usize) -> Option<String> {
    let (flash, ram) = (board.flash.length as usize, board.ram.length as usize);
    if model > flash {
        return Some(format!("does not fit: model of {model} bytes, flash of {flash}"));
    }
    let needed = ram_needed + HARNESS_RAM;
    (needed > ram)
        .then(|| format!("does not fit: {needed} bytes of RAM with the harness, the board has {ram}"))
}

/// Returns the reason if the linker reports a full memory region.
pub fn overflow(stderr: &str) -> Option<String> {
    let (_, rest) = stderr.split_once("will not fit in region '")?;
    let (region, rest) = rest.split_once('\'')?;
    let bytes = rest.split_once("overflowed by ").and_then(|(_, rest)| rest.split_whitespace().next());
    Some(format!("does not fit: {region} overflowed by {} bytes", bytes.unwrap_or("some")))
}

/// Cost of a step, as the check image writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Sum of the counter's ticks over the counted steps.
    pub ticks: u64,
    /// Number of counted steps.
    pub counted: u32,
    /// Bytes of stack in the deepest step.
    pub stack: u32,
    /// Bytes of the model's memory and of the values that borrow it.
    pub ram: u32,
    /// Number of all steps.
    pub steps: u32,
    /// Ticks per thousand instructions.
    pub thousand: u32,
    /// The fewest ticks of a counted step; 0 if whole sequences are counted.
    pub least: u32,
    /// The most ticks of a counted step.
    pub most: u32,
}

impl Measured {
    /// Reads `figures.bin`, in the layout of `Figures` in `firmware/src/bin/check.rs`.
    pub fn read(file: &Path) -> Result<Self> {
        Self::parse(&fs::read(file).with_context(|| format!("{}: the board wrote none", file.display()))?)
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        ensure!(bytes.len() == 40, "the board's figures are {} bytes, not 40", bytes.len());
        let (ticks, words) = bytes.split_at(8);
        let ticks = ticks.try_into().map(u64::from_le_bytes)?;
        let word = |i: usize| words[4 * i..4 * i + 4].try_into().map(u32::from_le_bytes);
        let [counted, stack, ram, steps, thousand] = [word(0)?, word(1)?, word(2)?, word(3)?, word(4)?];
        let [least, most] = [word(5)?, word(6)?];
        Ok(Self { ticks, counted, stack, ram, steps, thousand, least, most })
    }

    /// Returns the mean instructions per step.
    ///
    /// # Errors
    /// The board's row has the wrong counter, or too few steps were counted.
    pub fn instructions_per_step(&self, board: &Board) -> Result<f64> {
        let thousand = board.instructions(self.thousand.into());
        // The nops, and the call around them.
        ensure!((1000.0..1010.0).contains(&thousand), "1000 nops counted as {thousand:.1} instructions");
        ensure!(self.counted >= FEWEST_STEPS, "only {} steps were counted", self.counted);
        Ok(board.instructions(self.ticks as f64 / f64::from(self.counted)))
    }

    /// Returns the fewest and the most instructions of a step, to the resolution of the counter; `None` if
    /// whole sequences were counted.
    pub fn range(&self, board: &Board) -> Option<[f64; 2]> {
        (self.most > 0).then(|| [self.least, self.most].map(|ticks| board.instructions(ticks.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overflow_reported_by_the_linker_is_parsed() {
        let stderr =
            "rust-lld: error: section '.rodata' will not fit in region 'FLASH': overflowed by 91852 bytes\n";
        assert_eq!(overflow(stderr).unwrap(), "does not fit: FLASH overflowed by 91852 bytes");
        assert_eq!(overflow("error: no such symbol"), None);
    }

    #[test]
    fn networks_too_large_for_a_board_need_no_build() {
        let m0 = Board::named("cortex-m0").unwrap();
        assert!(too_large(m0, 346_000, 100).unwrap().contains("flash of 262144"));
        assert!(too_large(m0, 20_000, 15_000).unwrap().contains("RAM"));
        assert_eq!(too_large(m0, 20_000, 1000), None);
    }

    #[test]
    fn figures_are_little_endian_words() {
        let mut bytes = 5_000_000_000u64.to_le_bytes().to_vec();
        bytes.extend([49u32, 96, 700, 50, 1603, 7, 9, 0].map(u32::to_le_bytes).concat());
        let measured = Measured::parse(&bytes).unwrap();
        let ticks = 5_000_000_000;
        assert_eq!(
            measured,
            Measured {
                ticks,
                counted: 49,
                stack: 96,
                ram: 700,
                steps: 50,
                thousand: 1603,
                least: 7,
                most: 9
            }
        );
        assert!(Measured::parse(&bytes[..20]).is_err());
    }

    #[test]
    fn a_wrong_counter_or_too_few_steps_give_no_mean() {
        let m4 = Board::named("cortex-m4").unwrap();
        let good = Measured {
            ticks: 160_000,
            counted: 50,
            stack: 0,
            ram: 0,
            steps: 51,
            thousand: 1605,
            least: 0,
            most: 0,
        };
        assert_eq!(good.instructions_per_step(m4).unwrap(), 2000.0);
        assert!(Measured { thousand: 1000, ..good }.instructions_per_step(m4).is_err());
        assert!(Measured { counted: 49, ..good }.instructions_per_step(m4).is_err());
    }
}
