//! The commands, one file each.

pub mod board;
pub mod ci;
pub mod data;
pub mod doctor;
pub mod setup;
