//! The common parts of the images: board, network in flash, and stack measurement.
#![no_std]

pub mod board;
pub mod network;
pub mod stack;
