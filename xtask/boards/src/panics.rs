//! The search for panics in every public function: the image `functions` calls all of them, of each dtype and
//! with all layers. It is linked for every core and never run.

use std::fs;

use anyhow::{Context, Result, bail, ensure};
use xtask::args::DType;
use xtask::boards::{self, BOARDS, Board, Region};
use xtask::cmd::{Failures, root};
use xtask::cross::{self, Choice, ThisMachine, Toolchain};

use crate::image;
use crate::nets::{Case, NETS};
use crate::run::each_in_parallel;
use crate::{elf, public};

/// Source of the image.
const SOURCE: &str = "firmware/src/bin/functions.rs";

/// Searches the image on every core, after a check that it calls every function.
pub fn run() -> Result<()> {
    let toolchain = cross::decide(&ThisMachine::look()?, &boards::targets(), Choice::Auto)?;
    calls_every_function(&toolchain)?;
    // The images of the boards include it; this one has model files of its own.
    let case = Case::prepare(&NETS[0], DType::I8)?;
    let boards: Vec<&Board> = of_different_cores();
    let mut failures = Failures::default();
    let results = each_in_parallel(&boards, |board| search(&toolchain, board, &case));
    for (board, result) in boards.iter().zip(results) {
        if let Some(bytes) = failures.note(board.name, result) {
            println!("{}: no panic in {bytes} bytes", board.name);
        }
    }
    failures.finish()
}

/// Checks that the image calls every public function of the runtime.
fn calls_every_function(toolchain: &Toolchain) -> Result<()> {
    let functions = public::functions(toolchain, BOARDS[0].target)?;
    let source = fs::read_to_string(root().join(SOURCE)).context(SOURCE)?;
    let missing = public::not_called(&functions, &source);
    ensure!(missing.is_empty(), "{SOURCE} does not call {}", missing.join(", "));
    println!("{SOURCE} calls all {} public functions", functions.len());
    Ok(())
}

/// Returns the first board of each core.
fn of_different_cores() -> Vec<&'static Board> {
    let core = |board: &Board| (board.target, board.target_cpu);
    let is_first = |(index, board): &(usize, &Board)| BOARDS[..*index].iter().all(|b| core(b) != core(board));
    BOARDS.iter().enumerate().filter(is_first).map(|(_, board)| board).collect()
}

/// Links the image for a core, and returns its size if it contains no panic and no allocator.
fn search(toolchain: &Toolchain, board: &Board, case: &Case) -> Result<u64> {
    // The code of all dtypes and layers is larger than the flash of the smallest board.
    let flash = Region { length: board.flash.length.max(4 << 20), ..board.flash };
    let board = Board { flash, ..*board };
    image::command(toolchain, "build", &board, case)?.args(["--bin", "functions"]).run()?;
    let file = image::folder(toolchain, &board).join("functions");
    let contents = elf::contents(&fs::read(&file).with_context(|| file.display().to_string())?)?;
    match contents.forbidden.join(", ") {
        none if none.is_empty() => Ok(contents.flash),
        symbols => bail!("{} links {symbols}", file.display()),
    }
}
