//! Trains, quantizes and packs recurrent networks for `embedded-rnn`.

pub mod activation;
pub mod cells;
pub mod commands;
pub mod config;
pub mod data;
pub mod evaluate;
pub mod forecast;
pub mod import;
pub mod initializers;
pub mod layers;
pub mod loss;
pub mod metrics;
pub mod net;
pub mod optimizer;
pub mod output;
pub mod pack;
pub mod reference;
pub mod report;
pub mod sampling;
pub mod session;
pub mod summary;
pub mod tensor;
pub mod training;
pub mod vocabulary;

#[cfg(test)]
mod gradient_tests;
