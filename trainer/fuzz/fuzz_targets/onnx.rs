//! ONNX files.
#![no_main]

use embedded_rnn_import::onnx;
use embedded_rnn_trainer_fuzz::{imported, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::write("tests/import_onnx", "onnx"), |data: &[u8]| {
    imported::check(onnx::read(data, "model"))
});
