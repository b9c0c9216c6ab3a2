//! Checkpoints of a training, with a valid checksum.
#![no_main]

use std::path::Path;

use crc::{CRC_32_ISO_HDLC, Crc};
use embedded_rnn_nn::config::Config;
use embedded_rnn_nn::data::{Array, Dataset, Values};
use embedded_rnn_nn::training::{Checkpoint, Identity, Parts, Run};
use embedded_rnn_trainer_fuzz::{imported::line, read::with_file, seeds};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

const CONFIG: &str = r#"
name = "c"
data = { file = "d.npz" }
layers = [{ type = "BatchNormalization" }, { type = "GRU", units = 1 }, { type = "Dense", units = 1 }]
training = { loss = "mse", epochs = 2 }
"#;

/// Returns a new run, and what identifies it.
fn run() -> (Run, Identity) {
    let config = with_file("c.toml", CONFIG.as_bytes(), Config::read).expect("a valid config");
    let x = Array { shape: vec![1, 2, 1], values: Values::Floats(vec![0.5, -1.0]) };
    let y = Array { shape: vec![1, 1], values: Values::Floats(vec![1.0]) };
    let data = Dataset::from_arrays(x, None, y, ["x", "y"]).expect("valid data");
    let parts = Parts { train: data, validation: None, test: None };
    (Run::new(config.network(&parts.train, 0), 0), Identity::new(&config, &parts, 0))
}

/// Writes the checkpoint of the new run as a seed.
fn write_seed() {
    let (run, identity) = run();
    let write = |folder: &Path| Checkpoint::of(&run, &identity).write(&folder.join("new.postcard"));
    if let Some(folder) = seeds::folder() {
        write(&folder).expect("a seed");
    }
}

fuzz_target!(init: write_seed(), |data: &[u8]| {
    let restored = with_file("checkpoint.postcard", data, Checkpoint::read).and_then(|checkpoint| {
        let (mut run, identity) = run();
        checkpoint.expect("the file is there").restore(&mut run, &identity, 2).map(|()| run)
    });
    match restored {
        Ok(run) => run.check_finite().expect("checked when it was restored"),
        Err(error) => line(&error),
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let size = fuzzer_mutate(data, size, max_size);
    if !seed.is_multiple_of(8)
        && let Some((body, sum)) = data[..size].split_last_chunk_mut::<4>()
    {
        *sum = Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(body).to_le_bytes();
    }
    size
});
