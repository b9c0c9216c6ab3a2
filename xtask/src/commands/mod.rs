//! The commands, one file each.

pub mod browser;
pub mod ci;
pub mod compare;
pub mod delegate;
pub mod demo;
pub mod doctor;
pub mod fuzz;
pub mod python;
pub mod setup;
pub mod style;
pub mod wasm;
