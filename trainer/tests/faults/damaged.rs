//! Checkpoints with damaged bytes: they are rejected, or what they restore is finite.

use std::fs;
use std::path::{Path, PathBuf};

use crc::{CRC_32_ISO_HDLC, Crc};
use embedded_rnn_trainer::config::Config;
use embedded_rnn_trainer::output::one_line;
use embedded_rnn_trainer::training::{Checkpoint, Identity, Parts, Run};
use tempfile::TempDir;

use crate::common::{error_line, output};
use crate::data::{CONFIG, arrays, folder};

/// A run, and a checkpoint of it.
struct Case {
    _folder: TempDir,
    path: PathBuf,
    config: Config,
    run: Run,
    identity: Identity,
    bytes: Vec<u8>,
}

impl Case {
    fn new() -> Self {
        let config = CONFIG.replace("\"LSTM\"\nunits = 3", "\"SimpleRNN\"\nunits = 1");
        let folder = folder(&config, &arrays(2));
        let [config, path] = ["c.toml", "checkpoint.postcard"].map(|name| folder.path().join(name));
        let (config, config_path) = (Config::read(&config).unwrap(), config);
        let data = config.read_data(&config_path).unwrap().0;
        let parts = Parts::new(data, &config, 0).unwrap();
        let run = Run::new(config.network(&parts.train, 0), 0);
        let identity = Identity::new(&config, &parts, 0);
        Checkpoint::of(&run, &identity).write(&path).unwrap();
        let bytes = fs::read(&path).unwrap();
        Self { _folder: folder, path, config, run, identity, bytes }
    }

    /// Resumes from these bytes, and returns the error.
    fn error(&self, bytes: &[u8]) -> Option<String> {
        fs::write(&self.path, bytes).unwrap();
        let mut run = self.run.clone();
        let restored = Checkpoint::read(&self.path).and_then(|checkpoint| {
            checkpoint.expect("there").restore(&mut run, &self.identity, self.config.training.epochs)
        });
        if restored.is_ok() {
            run.check_finite().unwrap();
        }
        restored.err().map(|error| one_line(&error))
    }
}

fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let body = bytes.len() - 4;
    let sum = Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(&bytes[..body]);
    bytes[body..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

#[test]
fn every_damaged_byte_of_a_checkpoint_is_found() {
    let case = Case::new();
    assert_eq!(case.error(&case.bytes), None);
    for at in 0..case.bytes.len() {
        for flip in [1, 0x80, 0xff] {
            let mut bytes = case.bytes.clone();
            bytes[at] ^= flip;
            let error = case.error(&bytes).expect("rejected");
            assert!(error.ends_with("checkpoint.postcard: not a checkpoint, or damaged"), "{at}: {error}");
        }
        assert!(case.error(&case.bytes[..at]).is_some(), "{at} bytes");
    }
}

/// Checks that bytes that no program has written, with a checksum that fits, are rejected or harmless.
#[test]
fn every_changed_byte_with_its_checksum_is_rejected_or_harmless() {
    let case = Case::new();
    let mut restored = 0;
    for at in 0..case.bytes.len() - 4 {
        for byte in [0, 1, 0x7f, 0x80, 0xff] {
            let mut bytes = case.bytes.clone();
            bytes[at] = byte;
            restored += usize::from(case.error(&sealed(bytes)).is_none());
        }
    }
    // Most bytes of parameters have no invalid value.
    assert!(restored > 100, "{restored}");
}

#[test]
fn a_damaged_checkpoint_ends_the_command_and_stays() {
    let folder = folder(CONFIG, &arrays(2));
    let folder = folder.path();
    assert!(output(folder, &["train", "c.toml", "--out", "o"]).status.success());
    let path: &Path = &folder.join("o/checkpoint.postcard");
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, &bytes).unwrap();
    let error = error_line(folder, &["train", "c.toml", "--out", "o", "--resume"]);
    assert_eq!(error, "o/checkpoint.postcard: not a checkpoint, or damaged");
    assert!(fs::read(path).unwrap() == bytes);
}
