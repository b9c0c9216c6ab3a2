//! Keras's `.keras` files: zips whose members are mutated.
#![no_main]

use embedded_rnn_import::keras;
use embedded_rnn_trainer_fuzz::{archive, imported, seeds};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(init: seeds::write("tests/import_keras", "keras"), |data: &[u8]| {
    imported::check(keras::read(data.to_vec(), "model"))
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    archive::mutate(data, size, max_size, seed)
});
