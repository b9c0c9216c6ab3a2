//! The command `ernn train` under faults: training that diverges, unsuitable data, changed data, several
//! processes, kills, full disks, folders that cannot be written, and damaged checkpoints.
//!
//! `data` makes the input files; each of the other modules tests one kind of fault.

#[path = "../common/mod.rs"]
mod common;
mod damaged;
mod data;
#[cfg(target_os = "linux")]
mod disk;
mod diverged;
#[cfg(target_os = "linux")]
mod folders;
mod killed;
mod owner;
mod resumed;
mod unread;
