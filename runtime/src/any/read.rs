//! Reading of model files that nobody has checked yet.

use crate::aligned_bytes::AlignedBytes;
use crate::error::Error;
use crate::format::{PREAMBLE_LEN, file_len};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A model file that cannot be read, or that is not one.
#[derive(Debug)]
pub struct ReadError {
    path: PathBuf,
    reason: Reason,
}

#[derive(Debug)]
enum Reason {
    Io(io::Error),
    Model(Error),
}

impl ReadError {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        ReadError { path: path.to_owned(), reason: Reason::Io(error) }
    }

    pub(super) fn model(path: &Path, error: Error) -> Self {
        ReadError { path: path.to_owned(), reason: Reason::Model(error) }
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what is wrong with the model; `None` if the file cannot be read.
    pub fn model_error(&self) -> Option<Error> {
        match self.reason {
            Reason::Io(_) => None,
            Reason::Model(error) => Some(error),
        }
    }
}

// The reason is part of the line, and not a source that would stand in it twice.
impl std::error::Error for ReadError {}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.reason {
            Reason::Io(error) => write!(f, "{path}: {error}"),
            Reason::Model(error) => write!(f, "{path}: {error}"),
        }
    }
}

/// Reads as many bytes as the preamble declares; no more than a preamble if there is none.
pub fn bytes(path: &Path) -> io::Result<AlignedBytes> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    (&mut file).take(PREAMBLE_LEN as u64).read_to_end(&mut bytes)?;
    let rest = (file_len(&bytes) as u64).saturating_sub(PREAMBLE_LEN as u64);
    file.take(rest).read_to_end(&mut bytes)?;
    Ok(AlignedBytes::new(&bytes))
}
