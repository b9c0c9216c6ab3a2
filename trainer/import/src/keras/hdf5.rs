//! Bounded reading of HDF5 files: names, strings and arrays.
//!
//! An HDF5 file is a graph of objects with offsets, sizes and links that all come from the file, and a
//! hostile one can make a small file very expensive to read: links in a cycle, one heap object that is
//! referenced a thousand times, chunks that unpack to gigabytes. Nothing in the file is trusted. All reads go
//! through [`MeteredStorage`], which charges for every piece and ends with an error when a budget,
//! proportional to the file size, is used up; strings and array values have budgets of their own.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail, ensure};
use hdf5_reader::error::{Error, Result as Reading};
use hdf5_reader::messages::attribute::AttributeMessage;
use hdf5_reader::{Datatype, Hdf5File, OpenOptions, Storage, StorageBuffer, StringSize, VarLenKind};

use crate::limits::MAX_BYTES;
use crate::tensor::Tensor;

/// The maximum number of values that are read from a file: as many as the trainer trains.
const MAX_VALUES: usize = 1 << 26;

/// The maximum number of bytes that one byte of a file unpacks to, by the limit of deflate.
const MAX_RATIO: usize = 1032;

/// The maximum number of bytes of all strings that are read from a file; a config has some thousands.
pub const MAX_TEXT: usize = 1 << 24;

/// An open file with its budgets.
pub struct Hdf5 {
    file: Hdf5File,
    len: usize,
    text_left: Cell<usize>,
    values_left: Cell<usize>,
}

/// The names in a group.
#[derive(Debug, Default)]
pub struct GroupMembers {
    /// The groups.
    pub groups: BTreeSet<String>,
    /// The arrays.
    pub datasets: BTreeSet<String>,
}

impl Hdf5 {
    /// Opens a file of these bytes.
    ///
    /// # Errors
    /// A file that is not HDF5.
    pub fn new(bytes: Vec<u8>) -> Result<Self> {
        let options = OpenOptions::default()
            .with_max_chunk_bytes(4 * MAX_VALUES)
            .with_max_read_bytes(4 * MAX_VALUES)
            .with_max_object_header_bytes(MAX_TEXT)
            .with_chunk_cache_bytes(0);
        let len = bytes.len();
        let file = Hdf5File::from_storage_with_options(Arc::new(MeteredStorage::new(bytes)), options);
        Ok(Self {
            file: file.map_err(innermost).context("not an HDF5 file")?,
            len,
            text_left: Cell::new(MAX_TEXT),
            values_left: Cell::new(MAX_VALUES.min(len.saturating_mul(MAX_RATIO) / 4)),
        })
    }

    /// Returns the names in a group.
    ///
    /// # Errors
    /// A group that is missing or damaged.
    pub fn members(&self, group: &str) -> Result<GroupMembers> {
        let read = || -> Result<_> {
            let (groups, datasets) =
                self.file.group(group).and_then(|group| group.member_names()).map_err(innermost)?;
            self.spend_text(groups.iter().chain(&datasets).map(String::len).sum())?;
            Ok((groups, datasets))
        };
        let (groups, datasets) = read().with_context(|| group.to_owned())?;
        Ok(GroupMembers { groups: groups.into_iter().collect(), datasets: datasets.into_iter().collect() })
    }

    /// Returns the strings of a group's attribute, if it has the attribute.
    ///
    /// # Errors
    /// A missing group, or an attribute of another type.
    pub fn strings(&self, group: &str, attribute: &str) -> Result<Option<Vec<String>>> {
        let read = || -> Result<_> {
            let object = self.file.group(group).map_err(innermost)?;
            let attributes = object.raw_attributes().map_err(innermost)?;
            let Some(found) = attributes.iter().find(|found| found.name() == attribute) else {
                return Ok(None);
            };
            let resolve = |reference: &[u8]| object.resolve_vlen_reference_bytes(reference, 1);
            let offset_size = object.offset_size().into();
            self.strings_of(found.message(), offset_size, resolve)
                .with_context(|| attribute.to_owned())
                .map(Some)
        };
        read().with_context(|| if group == "/" { "attributes".to_owned() } else { group.to_owned() })
    }

    fn strings_of(
        &self,
        attribute: &AttributeMessage,
        offset_size: usize,
        resolve: impl Fn(&[u8]) -> Reading<Vec<u8>>,
    ) -> Result<Vec<String>> {
        let raw = &attribute.raw_data;
        let values = match &attribute.datatype {
            Datatype::String { size: StringSize::Fixed(width), .. } => {
                self.spend_text(raw.len())?;
                raw.chunks(usize::try_from(*width)?.max(1)).map(<[u8]>::to_vec).collect()
            }
            Datatype::String { size: StringSize::Variable, .. }
            | Datatype::VarLen { kind: VarLenKind::String, .. } => {
                // A reference is a length of four bytes, the offset of a heap, and an index in the heap.
                let references = raw.chunks(4 + offset_size + 4);
                let resolved = references.map(|reference| {
                    let length = reference.first_chunk().context("truncated")?;
                    self.spend_text(u32::from_le_bytes(*length) as usize)?;
                    resolve(reference).map_err(innermost)
                });
                resolved.collect::<Result<Vec<_>>>()?
            }
            // numpy converts an empty list of strings to one of numbers.
            _ if raw.is_empty() => Vec::new(),
            _ => bail!("not a string"),
        };
        let string = |mut bytes: Vec<u8>| {
            bytes.truncate(bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len()));
            String::from_utf8(bytes).context("not UTF-8")
        };
        values.into_iter().map(string).collect()
    }

    /// Reads the array at `path`, which must be of f32 and have this shape.
    ///
    /// # Errors
    /// A missing array, another shape or type, or a value that is not finite.
    pub fn tensor(&self, path: &str, shape: &[usize]) -> Result<Tensor> {
        let read = || -> Result<Tensor> {
            let dataset = self.file.dataset(path).map_err(innermost)?;
            let found = dataset.shape();
            let same = found.len() == shape.len() && found.iter().zip(shape).all(|(&a, &b)| a == b as u64);
            ensure!(same, "shape {found:?}, expected {shape:?} by the config");
            let float = matches!(dataset.dtype(), Datatype::FloatingPoint { size: 4, .. });
            ensure!(float, "type {:?}: only 32-bit floats are supported", dataset.dtype());
            let chunks = dataset.chunks().map_or(1, |chunks| {
                let along = |(&axis, &chunk): (&usize, &u32)| axis.div_ceil(chunk.max(1) as usize);
                shape.iter().zip(&chunks).map(along).fold(1, usize::saturating_mul)
            });
            ensure!(chunks <= self.len, "{chunks} chunks: more than {} bytes can hold", self.len);
            let count = shape.iter().try_fold(1usize, |count, &axis| count.checked_mul(axis));
            let left = count.and_then(|count| self.values_left.get().checked_sub(count));
            self.values_left
                .set(left.with_context(|| format!("too many values for a file of {} bytes", self.len))?);
            let values = dataset.read_array::<f32>().map_err(innermost)?;
            Tensor::new(shape.to_vec(), values.into_raw_vec_and_offset().0)
        };
        read().with_context(|| path.to_owned())
    }

    /// Takes the bytes of a string from the budget, before it is read.
    fn spend_text(&self, bytes: usize) -> Result<()> {
        let left = self.text_left.get().checked_sub(bytes);
        self.text_left
            .set(left.with_context(|| format!("more than {MAX_TEXT} bytes of strings in the file"))?);
        Ok(())
    }
}

/// Converts an error of the reader, without the paths that it prepends: the message has them already.
fn innermost(mut error: Error) -> anyhow::Error {
    while let Error::Context { source, .. } = error {
        error = *source;
    }
    anyhow::Error::msg(error.to_string())
}

/// The bytes of a file, with a budget for reading them: no link, tree or heap makes a small file cost much
/// time or memory, whatever it declares. Each piece that is read costs its length and
/// [`MeteredStorage::PIECE`] bytes.
struct MeteredStorage {
    /// Shared as they are: a slice of its own would be a second copy.
    bytes: Arc<Vec<u8>>,
    left: AtomicU64,
}

impl MeteredStorage {
    /// The cost of a piece in addition to its length.
    const PIECE: u64 = 64;

    fn new(bytes: Vec<u8>) -> Self {
        // The names of a group are looked up one by one, so its index is read once per name.
        let limit = (bytes.len() as u64).saturating_mul(64).saturating_add(1 << 24);
        Self { bytes: Arc::new(bytes), left: AtomicU64::new(limit.min(16 * MAX_BYTES)) }
    }
}

impl Storage for MeteredStorage {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_range(&self, offset: u64, len: usize) -> Reading<StorageBuffer> {
        // The length comes from the file.
        let cost = (len as u64).saturating_add(Self::PIECE);
        let charged =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(cost));
        charged.map_err(|_| Error::ResourceLimit("the same bytes are read too often".into()))?;
        let offset = usize::try_from(offset).map_err(|_| Error::OffsetOutOfBounds(offset))?;
        StorageBuffer::from_shared_owner(self.bytes.clone(), offset, len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_beyond_the_file_are_rejected() {
        let storage = MeteredStorage::new(vec![0; 8]);
        assert_eq!(&*storage.read_range(2, 6).unwrap(), [0; 6]);
        for (offset, len) in [(0, 9), (9, 0), (u64::MAX, 1), (2, usize::MAX), (u64::MAX, usize::MAX)] {
            assert!(storage.read_range(offset, len).is_err(), "{len} bytes at {offset}");
        }
    }
}
