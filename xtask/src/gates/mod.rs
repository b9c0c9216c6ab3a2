//! Checks of sources and packages, each a step of `cargo xtask ci`.

pub mod dependencies;
pub mod function_docs;
pub mod licence;
pub mod line_width;
pub mod module_cycles;
pub mod package;
pub mod sources;
