//! The commands from outside, on models of every shape of sequence: one-to-many, whole sequences, masked ones, encoder-decoders.
//!
//! `models` makes the models, `arrays` the files they are given; the others are a command each.

mod arrays;
#[path = "../common/mod.rs"]
mod common;
mod counts;
mod evaluate;
mod generate;
mod inspect;
mod models;
mod predict;
mod quantize;
