//! The labels of the header, read while a build runs: an array of them costs a program no decoder.
//!
//! The header is postcard (FORMAT.md): a string is its length as a varint and its bytes, a number a varint.

use super::preamble::{Preamble, u32_at};
use core::mem::offset_of;

/// Counts the labels of a model file; 0 if its header is not one.
#[doc(hidden)]
pub const fn label_count(bytes: &[u8]) -> usize {
    match Reader::at_counts(bytes) {
        Some((_, [_, labels])) if labels <= bytes.len() => labels,
        _ => 0,
    }
}

/// Reads the labels of a model file, of which there are [`label_count`]; an unreadable label is empty.
#[doc(hidden)]
pub const fn labels<const COUNT: usize>(bytes: &'static [u8]) -> [&'static str; COUNT] {
    let mut labels = [""; COUNT];
    let Some((mut reader, [layers, _])) = Reader::at_counts(bytes) else { return labels };
    let mut layer = 0;
    while layer < layers && reader.skip_strings(2) {
        layer += 1;
    }
    let mut label = 0;
    while label < COUNT
        && let Some(text) = reader.string()
    {
        labels[label] = text;
        label += 1;
    }
    labels
}

/// A header of which a part has been read.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads up to the numbers of layers and labels, which it returns.
    const fn at_counts(bytes: &'a [u8]) -> Option<(Self, [usize; 2])> {
        let at = u32_at(bytes, offset_of!(Preamble, header_at)) as usize;
        let len = u32_at(bytes, offset_of!(Preamble, header_len)) as usize;
        if at > bytes.len() || len > bytes.len() - at {
            return None;
        }
        let mut reader = Reader { rest: bytes.split_at(at).1.split_at(len).0 };
        if !reader.skip_strings(2) {
            return None;
        }
        let (Some(layers), Some(labels)) = (reader.varint(), reader.varint()) else { return None };
        Some((reader, [layers, labels]))
    }

    const fn varint(&mut self) -> Option<usize> {
        let mut value = 0;
        let mut shift = 0;
        while shift < 32
            && let Some((&byte, rest)) = self.rest.split_first()
        {
            self.rest = rest;
            value |= ((byte & 0x7f) as u64) << shift;
            if byte & 0x80 == 0 {
                return Some(value as usize);
            }
            shift += 7;
        }
        None
    }

    const fn string(&mut self) -> Option<&'a str> {
        let Some(len) = self.varint() else { return None };
        if len > self.rest.len() {
            return None;
        }
        let (text, rest) = self.rest.split_at(len);
        self.rest = rest;
        match core::str::from_utf8(text) {
            Ok(text) => Some(text),
            Err(_) => None,
        }
    }

    const fn skip_strings(&mut self, count: usize) -> bool {
        let mut skipped = 0;
        while skipped < count && self.string().is_some() {
            skipped += 1;
        }
        skipped == count
    }
}
