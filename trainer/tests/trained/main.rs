//! The command `ernn`: what users train, evaluate and predict, from the data to the printed results.

#[path = "../common/mod.rs"]
mod common;
#[path = "../faults/data.rs"]
#[expect(dead_code, reason = "these tests make their own data")]
mod data;
mod detector;
