//! The network in flash. `cargo xtask board` passes its path in an environment variable, so that another
//! network needs no change of this crate.

use embedded_rnn::{ram_needed_for, run_output_len};

embedded_rnn::model!(
    /// The network, with the code that it requires.
    pub net = env!("BOARD_MODEL")
);

/// Time steps of the longest sequence that is run in one call; 0 if each step is a call.
pub const STEPS: usize = number(env!("BOARD_STEPS"));

/// Limit of the ids that the decoder generates per sequence.
pub const MAX_IDS: usize = number(env!("BOARD_MAX_IDS"));

/// Bytes of a state, and of its longest sequence if the network processes whole ones.
pub const RAM: usize = ram_needed_for(net::BYTES, STEPS);

/// Values of the output for the longest sequence.
pub const OUTPUT_LEN: usize = if STEPS == 0 { 0 } else { run_output_len(net::BYTES, STEPS) };

const fn number(variable: &str) -> usize {
    match usize::from_str_radix(variable, 10) {
        Ok(number) => number,
        Err(_) => panic!("BOARD_STEPS or BOARD_MAX_IDS is not a number"),
    }
}
