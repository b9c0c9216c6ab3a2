//! Parts that `cargo xtask` shares with the crates of its larger commands, `xtask-boards` and `xtask-data`.
//!
//! Map: [`args`] the arguments of these commands, [`boards`] the table of boards, [`cross`] the choice of a
//! toolchain for them, [`needs`] the programs required on the machine, [`cmd`] running other programs,
//! [`files`] writing files, [`instrument`] builds for fuzzing and sanitizers, [`table`] text tables.

pub mod args;
pub mod boards;
pub mod cmd;
pub mod cross;
pub mod files;
pub mod instrument;
pub mod needs;
pub mod table;
