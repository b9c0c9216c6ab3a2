//! Trains, quantizes and packs recurrent networks for `embedded-rnn`.

pub mod activation;
pub mod cells;
pub mod commands;
pub mod initializers;
pub mod layers;
pub mod loss;
pub mod net;
pub mod optimizer;
pub mod reference;
pub mod tensor;

#[cfg(test)]
mod gradient_tests;
