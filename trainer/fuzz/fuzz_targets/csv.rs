//! Data in text files: series, cut into windows, tables of windows, and sequences in `.ts` files.
#![no_main]

use embedded_rnn_trainer_fuzz::{read, seeds};
use libfuzzer_sys::fuzz_target;

const VALUES: &str = r#"
name = "c"
data = { file = "s.csv", split_date = "2010-01", window = 3 }
layers = [{ type = "GRU", units = 2 }, { type = "Dense", units = 1 }]
training = { loss = "mse", epochs = 1 }
"#;

const CLASSES: &str = r#"
name = "c"
data = { file = "w.csv" }
layers = [{ type = "GRU", units = 2 }, { type = "Dense", units = 3, activation = "softmax" }]
training = { loss = "categorical_crossentropy", epochs = 1 }
"#;

fuzz_target!(init: seeds::write("examples", "csv"), |data: &[u8]| {
    let changes = VALUES.replace("window = 3", "window = 1, difference = true");
    read::data("s.csv", data, &[VALUES, &changes]);
    read::data("w.csv", data, &[CLASSES]);
    read::data("t.ts", data, &[&CLASSES.replace("w.csv", "t.ts")]);
});
