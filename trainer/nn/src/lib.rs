//! Recurrent networks on a PC: layers and cells, training, and their packed form for `embedded-rnn`.
//!
//! The modules form a stack; each imports only from those above it in this list:
//!
//! - [`tensor`], [`packed`]: matrices, and batches of sequences of different lengths
//! - [`activation`], [`initializers`], [`loss`], [`metrics`], [`optimizer`], [`output`]
//! - [`data`]: data sets and series from files
//! - [`export`]: the weighted rows of a model file, in floats and in integers
//! - [`cells`]: SimpleRNN, LSTM, GRU: forward, backward, reference step, packed layout
//! - [`layers`]: one file per layer with everything about it
//! - [`net`], [`reference`](mod@reference): chains of layers; the reference forward pass
//! - [`evaluate`], [`forecast`]: scores on labeled data, windows of a series
//! - [`training`]: epochs, checkpoints, history
//! - the config of a run, `CONFIG.toml`: [`config`]

pub mod activation;
pub mod cells;
pub mod config;
pub mod data;
pub mod evaluate;
pub mod export;
pub mod forecast;
pub mod initializers;
pub mod layers;
pub mod loss;
pub mod metrics;
pub mod net;
pub mod optimizer;
pub mod output;
pub mod packed;
pub mod reference;
pub mod tensor;
pub mod training;

#[cfg(test)]
mod gradient_tests;
