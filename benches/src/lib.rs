//! How long a step takes on this machine, beside what the machine allows.
//!
//! `cargo bench -p embedded-rnn-benches` runs both targets:
//!
//! - `cell_step`: criterion's statistics of each case, its own comparison with the run before;
//! - `summary`: every case and every bound in turns, so that a drift of the clock hits all alike; a table, and
//!   `target/bench.jsonl`.
//!
//! Map: [`nets`] what is run, [`bounds`] what the machine allows, [`rounds`] how it is timed, [`report`] what is said.
//! Recorded results lie in `results/`.
#![deny(missing_docs)]
#![deny(unsafe_code)]

pub mod bounds;
pub mod nets;
pub mod report;
pub mod rounds;
