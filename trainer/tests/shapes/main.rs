//! The commands on models of every shape of sequence: generative models, whole sequences, masked ones,
//! encoder-decoders.
//!
//! `models` makes the models, `arrays` their input files; each of the other modules tests one command.

mod arrays;
mod c_header;
#[path = "../common/mod.rs"]
mod common;
mod counts;
mod evaluate;
mod generate;
mod inspect;
mod large_errors;
mod models;
mod non_finite;
mod output;
mod predict;
mod quantize;
