//! The small model that the runtime's examples and tests include is what the packer writes today.
//!
//! `OVERWRITE=1 cargo test -p embedded-rnn-trainer --test tiny_model` writes it anew.

use std::path::Path;

use embedded_rnn_trainer::pack::{files, random_cell};

#[test]
fn the_small_models_in_the_runtimes_tests_are_up_to_date() {
    let (network, frames) = random_cell(("LSTM", ""), (2, 3), 4, 1).unwrap();
    let (float, int) = files(&network, &frames).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/tests/data");
    for (name, bytes) in [("tiny.ernn", float), ("tiny.i8.ernn", int)] {
        let path = folder.join(name);
        if std::env::var_os("OVERWRITE").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &bytes).unwrap();
        }
        assert!(std::fs::read(&path).unwrap() == bytes, "{name} differs: see the head of this file");
    }
}
