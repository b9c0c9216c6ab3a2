//! Buffers of the caller: checked before a reference to them exists.

use crate::status::ernn_status_t::{self, *};
use core::ops::Range;

/// A buffer whose pointer and length were checked, as far as they can be.
#[derive(Debug)]
pub struct Buffer<T> {
    data: *mut T,
    len: usize,
}

impl<T> Buffer<T> {
    /// Checks a buffer: a null pointer has no values, and all bytes lie in the address space.
    pub fn new(data: *const T, len: usize) -> Result<Self, ernn_status_t> {
        if data.is_null() && len > 0 {
            return Err(ERNN_ERROR_NULL);
        }
        if !data.is_aligned() {
            return Err(ERNN_ERROR_ALIGNMENT);
        }
        let bytes = len.checked_mul(size_of::<T>()).filter(|&bytes| isize::try_from(bytes).is_ok());
        bytes.and_then(|bytes| data.addr().checked_add(bytes)).ok_or(ERNN_ERROR_BUFFER)?;
        Ok(Self { data: data.cast_mut(), len })
    }

    /// Returns the addresses.
    pub fn range(&self) -> Range<usize> {
        let start = self.data.addr();
        start..start.wrapping_add(self.len.wrapping_mul(size_of::<T>()))
    }

    /// Returns the values to read.
    ///
    /// # Safety
    /// The buffer exists and nothing writes it during `'a`.
    pub unsafe fn values<'a>(&self) -> &'a [T] {
        if self.data.is_null() {
            return &[];
        }
        // SAFETY: `new` has checked the pointer and the length, and the caller guarantees the memory.
        unsafe { core::slice::from_raw_parts(self.data, self.len) }
    }

    /// Returns the values to write.
    ///
    /// # Safety
    /// The buffer exists and nothing else uses it during `'a`.
    pub unsafe fn values_mut<'a>(&self) -> &'a mut [T] {
        if self.data.is_null() {
            return &mut [];
        }
        // SAFETY: `new` has checked the pointer and the length, and the caller guarantees the memory.
        unsafe { core::slice::from_raw_parts_mut(self.data, self.len) }
    }
}

/// Checks that a buffer to be written has no byte in common with the other ones.
pub fn check_disjoint(written: &Range<usize>, others: &[Range<usize>]) -> Result<(), ernn_status_t> {
    let overlaps = |other: &Range<usize>| written.start < other.end && other.start < written.end;
    // An empty buffer overlaps nothing, wherever its pointer points to.
    let is_free = |other: &Range<usize>| written.is_empty() || other.is_empty() || !overlaps(other);
    if others.iter().all(is_free) { Ok(()) } else { Err(ERNN_ERROR_OVERLAP) }
}

/// Writes one value for the caller.
///
/// # Safety
/// The pointer is null or points to a value.
pub unsafe fn put<T>(to: *mut T, value: T) -> Result<(), ernn_status_t> {
    let to = Buffer::new(to, 1)?;
    // SAFETY: the pointer is not null and aligned, and the caller guarantees the memory.
    unsafe { to.data.write(value) };
    Ok(())
}
