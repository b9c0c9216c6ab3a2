//! The network in flash. Which one, build.rs says.

use embedded_rnn::Model;

include!(concat!(env!("OUT_DIR"), "/network.rs"));

/// Memory that a state of it takes.
pub const RAM: usize = embedded_rnn::ram_needed(MODEL);

/// The model; only what it needs is linked.
pub type Network<'a> = Model<'a, Number, { embedded_rnn::features(MODEL) }>;
