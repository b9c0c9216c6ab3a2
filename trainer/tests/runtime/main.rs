//! The runtime as a caller uses it: its outputs, its errors, and the invariants of its state.
//!
//! | modules | test |
//! |---|---|
//! | `agrees`, `stacks_agree` | the outputs match the trainer's reference forward |
//! | `rest` | an integer cell under zero input moves by few units at most |
//! | `int_layers`, `float_layers` | the backends match each other, on all valid layers (`variants`) |
//! | `int_normalization`, `wide_activations` | integer layers match their formulas |
//! | `sequences`, `whole_sequences`, `generation` | the state in calls, on the networks of `stacks` |
//! | `saved_states`, `initial_states`, `states_of_files` | the state of the caller, on the same networks |
//! | `rejections`, `rejected_*`, `damage` | validation at load enforces FORMAT.md |
//!
//! `files` and `crafted` make files and states that no packer writes.

mod agrees;
mod crafted;
mod damage;
#[path = "../common/files.rs"]
mod files;
mod float_layers;
mod generation;
mod in_8_bits;
mod initial_states;
mod int_layers;
mod int_normalization;
mod numbers;
mod parts;
mod random_layers;
mod rejected_calls;
mod rejected_layers;
mod rejected_places;
mod rejections;
mod rest;
#[path = "../common/running.rs"]
mod running;
mod saved_states;
mod sequences;
mod stacks;
mod stacks_agree;
#[path = "../common/states.rs"]
mod states;
mod states_of_files;
mod variants;
mod whole_sequences;
mod wide_activations;
