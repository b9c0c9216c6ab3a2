//! Model files: validation, and every function of the models that are accepted. The bytes after the file are
//! the inputs.
#![no_main]

use embedded_rnn_fuzz::{exercise::exercise, mutate::mutate};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|data: &[u8]| exercise(data));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed)
});
