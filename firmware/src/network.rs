//! The network in flash. Which one, build.rs says.

use embedded_rnn::Model;

include!(concat!(env!("OUT_DIR"), "/network.rs"));

/// Memory that a state of it takes, and its longest sequence if it reads whole ones.
pub const RAM: usize = embedded_rnn::ram_needed_for(MODEL, STEPS);

/// The model; only what it needs is linked.
pub type Network<'a> = Model<'a, Number, { embedded_rnn::features(MODEL) }>;
