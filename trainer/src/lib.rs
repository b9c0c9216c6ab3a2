//! Trains, quantizes and packs recurrent networks for `embedded-rnn`.

pub mod commands;
