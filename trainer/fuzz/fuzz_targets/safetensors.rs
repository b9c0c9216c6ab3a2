//! PyTorch's state dicts.
#![no_main]

use embedded_rnn_import::pytorch::{self, Options};
use embedded_rnn_trainer_fuzz::{imported, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::write("tests/import_pytorch", "safetensors"), |data: &[u8]| {
    imported::check(pytorch::read(data, "model", &Options::default()));
    let sequences = Options { return_sequences: true, eps: Some(1e-3), ..Options::default() };
    imported::check(pytorch::read(data, "model", &sequences));
});
