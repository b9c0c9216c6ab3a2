//! The bytes of a model file, read with care and checked by the runtime.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use embedded_rnn::format::{MAGIC, PREAMBLE_LEN, Preamble};
use embedded_rnn::{DType, Error, Model};

use super::Session;
use crate::pack::AlignedBytes;

/// The bytes of a model file, and where they are from.
pub struct ModelFile {
    path: PathBuf,
    bytes: AlignedBytes,
}

impl ModelFile {
    /// Reads a file, of which nothing is believed: memory grows with the bytes that are there.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = read(path).with_context(|| path.display().to_string())?;
        Ok(Self::new(path, &bytes))
    }

    /// From bytes that are, or will be, at `path`.
    pub fn new(path: &Path, bytes: &[u8]) -> Self {
        Self { path: path.to_owned(), bytes: AlignedBytes::new(bytes) }
    }

    /// The file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Checks the whole file, and gives what runs it.
    pub fn deploy(&self) -> Result<Session<'_>> {
        self.check().with_context(|| self.path.display().to_string())
    }

    fn check(&self) -> Result<Session<'_>> {
        let kind = preamble(&self.bytes).and_then(|preamble| DType::from_code(preamble.dtype));
        Ok(match kind {
            Some(DType::I8) => Session::I8(Model::new(&self.bytes)?),
            Some(DType::F16) => Session::F16(Model::new(&self.bytes)?),
            // What is no model of any kind is refused with the reason.
            _ => Session::F32(Model::new(&self.bytes)?),
        })
    }
}

fn preamble(bytes: &[u8]) -> Option<&Preamble> {
    bytemuck::try_from_bytes(bytes.get(..PREAMBLE_LEN)?).ok()
}

/// What the file's preamble counts to it; no more than the preamble if that is none.
fn read(path: &Path) -> Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut start = AlignedBytes::zeroed(PREAMBLE_LEN);
    let mut bytes = Vec::new();
    (&mut file).take(PREAMBLE_LEN as u64).read_to_end(&mut bytes)?;
    if !bytes.starts_with(&MAGIC) {
        bail!(Error::NotAModel);
    }
    start[..bytes.len()].copy_from_slice(&bytes);
    let whole = preamble(&start).map_or(0, |preamble| u64::from(preamble.file_len));
    file.take(whole.saturating_sub(PREAMBLE_LEN as u64)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
