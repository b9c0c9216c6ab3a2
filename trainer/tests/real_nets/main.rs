//! Nets that others trained and that run in products: their weights in our runtime, their engines' answers.
//!
//! Each has a folder with a NOTICE, golden files, and its package, which `cargo xtask data NAME` brings. Without the package
//! its test says that it is skipped. README.md has what comes out.

mod files;
mod gru_5_4;
mod layers;
mod nsnet2;
mod rnnoise;
mod silero_vad;
mod table;
mod webrtc_vad;
