//! The runtime from outside: its answers, its refusals, and what must not change them.
//!
//! `agrees` and `stacks_agree` hold it to the trainer's plain loops; `int_layers` and `float_layers` hold the instruction sets to each
//! other, on layers of every variant that the door lets through (`variants`), `int_normalization` and `wide_sums` integers to
//! what they mean; `sequences`, `whole_sequences`, `saved_states`, `initial_states` and `writing` are about what is remembered,
//! on the networks of `stacks`; `refusals`, `refused_*` and `damage` hold the door to FORMAT.md. `files` and `crafted` make files
//! and states that no packer would write.

mod agrees;
mod crafted;
mod damage;
#[path = "../common/files.rs"]
mod files;
mod float_layers;
mod initial_states;
mod int_layers;
mod int_normalization;
mod numbers;
mod parts;
mod random_layers;
mod refusals;
mod refused_calls;
mod refused_layers;
mod refused_places;
#[path = "../common/running.rs"]
mod running;
mod saved_states;
mod sequences;
mod stacks;
mod stacks_agree;
#[path = "../common/states.rs"]
mod states;
mod variants;
mod whole_sequences;
mod wide_sums;
mod writing;
