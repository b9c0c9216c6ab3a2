//! Bytes on the heap, aligned as a model in flash is.

use bytemuck::{Pod, Zeroable};
use core::ops::{Deref, DerefMut};

/// The alignment: a cache line, and a multiple of [`ALIGN`](crate::ALIGN).
const LINE: usize = 64;

/// Owned bytes at a multiple of 64: a model that was read, or memory for a state.
///
/// ```
/// use embedded_rnn::{AlignedBytes, F32, Model, ram_needed};
///
/// let file = AlignedBytes::new(include_bytes!("../tests/data/tiny.ernn"));
/// let model = Model::<F32>::new(&file)?;
/// let mut ram = AlignedBytes::zeroed(ram_needed(&file));
/// let mut state = model.state(&mut ram)?;
/// model.step(&mut state, &[0.5, -0.25])?;
/// # Ok::<(), embedded_rnn::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct AlignedBytes {
    lines: Vec<Line>,
    len: usize,
}

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u8; LINE]);

impl AlignedBytes {
    /// Copies `bytes`.
    pub fn new(bytes: &[u8]) -> Self {
        let mut aligned = Self::zeroed(bytes.len());
        aligned.copy_from_slice(bytes);
        aligned
    }

    /// Makes `len` bytes of zero.
    pub fn zeroed(len: usize) -> Self {
        AlignedBytes { lines: vec![Line([0; LINE]); len.div_ceil(LINE)], len }
    }
}

impl Deref for AlignedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.lines).get(..self.len).unwrap_or_default()
    }
}

impl DerefMut for AlignedBytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.lines).get_mut(..self.len).unwrap_or_default()
    }
}

impl AsRef<[u8]> for AlignedBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl AsMut<[u8]> for AlignedBytes {
    fn as_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl From<&[u8]> for AlignedBytes {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_aligned_and_as_many_as_asked_for() {
        for len in [0, 1, 63, 64, 65, 1000] {
            let mut bytes = AlignedBytes::zeroed(len);
            assert_eq!((bytes.len(), bytes.as_ptr() as usize % LINE), (len, 0));
            bytes.fill(7);
            assert_eq!(&*AlignedBytes::new(&bytes), &*bytes);
        }
    }
}
