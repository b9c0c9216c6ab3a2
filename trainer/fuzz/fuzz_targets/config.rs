//! Configs.
#![no_main]

use embedded_rnn_nn::config::Config;
use embedded_rnn_trainer_fuzz::{imported::line, read::with_file, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::write("examples", "toml"), |data: &[u8]| {
    with_file("c.toml", data, |path| match Config::read(path) {
        Ok(config) => {
            config.check().expect("checked when it was read");
            for features in [1, 1000, 1 << 40] {
                if let Err(error) = config.check_size(features) {
                    line(&error);
                }
            }
        }
        Err(error) => line(&error),
    });
});
