//! Time per step on this machine, compared with the bound that the machine sets.
//!
//! `cargo bench -p embedded-rnn-benches` runs both targets:
//!
//! - `cell_step`: criterion's statistics of each case, compared with the previous run;
//! - `summary`: every case and every bound in turns, so that a drift of the clock affects all alike; prints a
//!   table and writes `target/bench.jsonl`.
//!
//! Map: [`nets`] the networks, [`bounds`] the bounds of the machine, [`rounds`] the timing, [`report`] the
//! table. `results/` contains recorded results.
#![deny(missing_docs)]
#![deny(unsafe_code)]

pub mod bounds;
pub mod nets;
pub mod report;
pub mod rounds;
