//! HDF5 files of which nothing is believed: names, texts and numbers, in memory and time that grow with the file.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail, ensure};
use hdf5_reader::error::{Error, Result as Reading};
use hdf5_reader::messages::attribute::AttributeMessage;
use hdf5_reader::{Datatype, Hdf5File, OpenOptions, Storage, StorageBuffer, StringSize, VarLenKind};

use crate::import::{MOST_BYTES, Tensor};

/// Most numbers that are read from a file: as many as the trainer trains.
const MOST_NUMBERS: usize = 1 << 26;

/// Most bytes that a byte of a file unfolds to: deflate makes no more of it.
const MOST_UNFOLDED: usize = 1032;

/// Most bytes that the texts read from a file may have in all; a config has some thousands.
pub const MOST_TEXT: usize = 1 << 24;

/// An open file.
pub struct Hdf5 {
    file: Hdf5File,
    len: usize,
    text_left: Cell<usize>,
    numbers_left: Cell<usize>,
}

/// What a group holds, by name.
#[derive(Debug, Default)]
pub struct Members {
    /// Groups in it.
    pub groups: BTreeSet<String>,
    /// Arrays in it.
    pub datasets: BTreeSet<String>,
}

impl Hdf5 {
    /// A file of these bytes.
    ///
    /// # Errors
    /// No HDF5 file.
    pub fn new(bytes: Vec<u8>) -> Result<Self> {
        let options = OpenOptions::default()
            .with_max_chunk_bytes(4 * MOST_NUMBERS)
            .with_max_read_bytes(4 * MOST_NUMBERS)
            .with_max_object_header_bytes(MOST_TEXT)
            .with_chunk_cache_bytes(0);
        let len = bytes.len();
        let file = Hdf5File::from_storage_with_options(Arc::new(Metered::new(bytes)), options);
        Ok(Self {
            file: file.map_err(said).context("not an HDF5 file")?,
            len,
            text_left: Cell::new(MOST_TEXT),
            numbers_left: Cell::new(MOST_NUMBERS.min(len.saturating_mul(MOST_UNFOLDED) / 4)),
        })
    }

    /// What is in a group.
    ///
    /// # Errors
    /// No such group, or a damaged one.
    pub fn members(&self, group: &str) -> Result<Members> {
        let read = || -> Result<_> {
            let (groups, datasets) =
                self.file.group(group).and_then(|group| group.member_names()).map_err(said)?;
            self.take_text(groups.iter().chain(&datasets).map(String::len).sum())?;
            Ok((groups, datasets))
        };
        let (groups, datasets) = read().with_context(|| group.to_owned())?;
        Ok(Members { groups: groups.into_iter().collect(), datasets: datasets.into_iter().collect() })
    }

    /// The texts of a group's attribute, if it has one.
    ///
    /// # Errors
    /// No such group, or an attribute that is no text.
    pub fn texts(&self, group: &str, attribute: &str) -> Result<Option<Vec<String>>> {
        let read = || -> Result<_> {
            let object = self.file.group(group).map_err(said)?;
            let attributes = object.raw_attributes().map_err(said)?;
            let Some(found) = attributes.iter().find(|found| found.name() == attribute) else {
                return Ok(None);
            };
            let resolve = |reference: &[u8]| object.resolve_vlen_reference_bytes(reference, 1);
            let offset_size = object.offset_size().into();
            self.texts_of(found.message(), offset_size, resolve)
                .with_context(|| attribute.to_owned())
                .map(Some)
        };
        read().with_context(|| if group == "/" { "attributes".to_owned() } else { group.to_owned() })
    }

    fn texts_of(
        &self,
        attribute: &AttributeMessage,
        offset_size: usize,
        resolve: impl Fn(&[u8]) -> Reading<Vec<u8>>,
    ) -> Result<Vec<String>> {
        let raw = &attribute.raw_data;
        let values = match &attribute.datatype {
            Datatype::String { size: StringSize::Fixed(width), .. } => {
                self.take_text(raw.len())?;
                raw.chunks(usize::try_from(*width)?.max(1)).map(<[u8]>::to_vec).collect()
            }
            Datatype::String { size: StringSize::Variable, .. }
            | Datatype::VarLen { kind: VarLenKind::String, .. } => {
                // A reference: a length of four bytes, where the heap is, the number of its object there.
                let references = raw.chunks(4 + offset_size + 4);
                let resolved = references.map(|reference| {
                    let length = reference.first_chunk().context("cut short")?;
                    self.take_text(u32::from_le_bytes(*length) as usize)?;
                    resolve(reference).map_err(said)
                });
                resolved.collect::<Result<Vec<_>>>()?
            }
            // numpy makes an empty list of texts one of numbers.
            _ if raw.is_empty() => Vec::new(),
            _ => bail!("not a text"),
        };
        let text = |mut bytes: Vec<u8>| {
            bytes.truncate(bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len()));
            String::from_utf8(bytes).context("not UTF-8")
        };
        values.into_iter().map(text).collect()
    }

    /// The array at `path`, which must be of f32 and have this shape.
    ///
    /// # Errors
    /// No such array, another shape or type, a number that is not finite.
    pub fn tensor(&self, path: &str, shape: &[usize]) -> Result<Tensor> {
        let read = || -> Result<Tensor> {
            let dataset = self.file.dataset(path).map_err(said)?;
            let found = dataset.shape();
            let same = found.len() == shape.len() && found.iter().zip(shape).all(|(&a, &b)| a == b as u64);
            ensure!(same, "shape {found:?}, expected {shape:?} by the config");
            let float = matches!(dataset.dtype(), Datatype::FloatingPoint { size: 4, .. });
            ensure!(float, "type {:?}: only 32-bit floats are read", dataset.dtype());
            let chunks = dataset.chunks().map_or(1, |chunks| {
                let along = |(&axis, &chunk): (&usize, &u32)| axis.div_ceil(chunk.max(1) as usize);
                shape.iter().zip(&chunks).map(along).fold(1, usize::saturating_mul)
            });
            ensure!(chunks <= self.len, "{chunks} chunks: more than there can be in {} bytes", self.len);
            let count = shape.iter().try_fold(1usize, |count, &axis| count.checked_mul(axis));
            let left = count.and_then(|count| self.numbers_left.get().checked_sub(count));
            self.numbers_left
                .set(left.with_context(|| format!("too many numbers for a file of {} bytes", self.len))?);
            let values = dataset.read_array::<f32>().map_err(said)?;
            Tensor::new(shape.to_vec(), values.into_raw_vec_and_offset().0)
        };
        read().with_context(|| path.to_owned())
    }

    /// Counts text, before it is read.
    fn take_text(&self, bytes: usize) -> Result<()> {
        let left = self.text_left.get().checked_sub(bytes);
        self.text_left.set(left.with_context(|| format!("more than {MOST_TEXT} bytes of text in the file"))?);
        Ok(())
    }
}

/// What the reader says, without the paths that it puts before it: ours stand there already.
fn said(mut error: Error) -> anyhow::Error {
    while let Error::Context { source, .. } = error {
        error = *source;
    }
    anyhow::Error::msg(error.to_string())
}

/// Bytes of a file that can be read only so often: no link, tree or heap in them makes a small file cost much time or
/// memory, whatever it claims. Each piece that is read is charged with its length and [`Metered::PIECE`] bytes.
struct Metered {
    bytes: Arc<[u8]>,
    left: AtomicU64,
}

impl Metered {
    /// What looking at a piece costs, however short it is.
    const PIECE: u64 = 64;

    fn new(bytes: Vec<u8>) -> Self {
        // The names of a group are looked up in it one by one, so that its index is read once for each.
        let limit = (1 << 24) + 64 * bytes.len() as u64;
        Self { bytes: bytes.into(), left: AtomicU64::new(limit.min(4 * MOST_BYTES)) }
    }
}

impl Storage for Metered {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_range(&self, offset: u64, len: usize) -> Reading<StorageBuffer> {
        let cost = len as u64 + Self::PIECE;
        let paid =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(cost));
        paid.map_err(|_| Error::ResourceLimit("the same bytes over and over".into()))?;
        let offset = usize::try_from(offset).map_err(|_| Error::OffsetOutOfBounds(offset))?;
        StorageBuffer::from_shared(self.bytes.clone(), offset, len)
    }
}
