//! The command `ernn`: what users train, evaluate and predict, from the data to the printed results.

mod bad_input;
#[path = "../common/mod.rs"]
mod common;
#[path = "../faults/data.rs"]
#[expect(dead_code, reason = "not all of its arrays are needed here")]
mod data;
mod detector;
mod formats;
mod init;
mod metrics;
mod predicted;
