//! The network in flash, which `cargo xtask board` names in a variable: a net is never a change of this
//! crate.

use embedded_rnn::{ram_needed_for, run_output_len};

embedded_rnn::model!(
    /// The network, with the code that it requires.
    pub net = env!("BOARD_MODEL")
);

/// Time steps of the longest sequence that is run in one call; 0 if each step is a call.
pub const STEPS: usize = match usize::from_str_radix(env!("BOARD_STEPS"), 10) {
    Ok(steps) => steps,
    Err(_) => panic!("BOARD_STEPS is not a number"),
};

/// Bytes of a state, and of its longest sequence if the network processes whole ones.
pub const RAM: usize = ram_needed_for(net::BYTES, STEPS);

/// Values of the output for the longest sequence.
pub const OUTPUT_LEN: usize = if STEPS == 0 { 0 } else { run_output_len(net::BYTES, STEPS) };
