//! Bytes for readers that take the path of a file.

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use embedded_rnn_nn::config::Config;
use tempfile::TempDir;

use crate::imported::line;

thread_local! {
    static FOLDER: RefCell<Option<TempDir>> = const { RefCell::new(None) };
}

/// Calls `read` with the path of a file of this name and these bytes, in a folder that stays the same.
pub fn with_file<T>(name: &str, bytes: &[u8], read: impl FnOnce(&Path) -> T) -> T {
    FOLDER.with_borrow_mut(|folder| {
        let folder = folder.get_or_insert_with(|| tempfile::tempdir().expect("a temporary folder"));
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("a temporary file");
        read(&path)
    })
}

/// Reads the data of each config from a file of this name and these bytes, and checks that it fits the
/// network or is rejected in one line.
pub fn data(name: &str, bytes: &[u8], configs: &[&str]) {
    let folder_of = |path: &Path| path.parent().expect("in a folder").join("c.toml");
    for config in configs {
        with_file(name, bytes, |path| {
            let config_path = folder_of(path);
            fs::write(&config_path, config).expect("a temporary file");
            let config = Config::read(&config_path).expect("a valid config");
            match config.read_data(&config_path) {
                Ok((data, _)) => {
                    assert!(!data.train.sequences.is_empty(), "accepted without a sequence");
                    assert!(data.train.sequences.frames().iter().all(|value| value.is_finite()));
                }
                Err(error) => line(&error),
            }
        });
    }
}
