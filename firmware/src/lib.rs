//! What the images share: the board under them and the network in their flash.
#![no_std]

pub mod board;
pub mod network;
pub mod stack;
