//! Keras's `.h5` files.
#![no_main]

use embedded_rnn_import::keras;
use embedded_rnn_trainer_fuzz::{imported, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::write("tests/import_keras", "h5"), |data: &[u8]| {
    imported::check(keras::read(data.to_vec(), "model"))
});
