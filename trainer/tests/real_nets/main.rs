//! Third-party models that run in products: their weights in this runtime, compared with the outputs of their
//! engines.
//!
//! Each has a folder with a NOTICE, golden files, and its package, which `cargo xtask data NAME` fetches.
//! Without the package its tests are reported as skipped. README.md has the results.

mod beatnet;
mod chars2vec;
mod dtln;
mod files;
mod gru_5_4;
mod layers;
mod madmom;
mod nsnet2;
mod riann;
mod rnnoise;
mod silero_vad;
mod sleepecg;
mod table;
mod webrtc_vad;
