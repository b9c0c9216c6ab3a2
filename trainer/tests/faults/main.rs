//! The command `ernn train` under faults: training that diverges, unsuitable data, changed data, several
//! processes.
//!
//! `data` makes the input files; each of the other modules tests one kind of fault.

#[path = "../common/mod.rs"]
mod common;
mod data;
mod diverged;
mod owner;
mod resumed;
mod unread;
