//! The labels of the header, decoded while a program is built: an array of them costs the program no decoder.

use super::preamble::{Preamble, u32_at};
use super::varint::{decode, decode_str};
use core::mem::offset_of;

/// Counts the labels of a model file; 0 if its header is not one.
#[doc(hidden)]
pub const fn label_count(bytes: &[u8]) -> usize {
    match counts(bytes) {
        // Each label takes a byte at least.
        Some((_, labels, rest)) if labels as usize <= rest.len() => labels as usize,
        _ => 0,
    }
}

/// Decodes the labels of a model file, of which there are [`label_count`]; an unreadable label is empty.
#[doc(hidden)]
pub const fn labels<const COUNT: usize>(bytes: &[u8]) -> [&str; COUNT] {
    let mut labels = [""; COUNT];
    let Some((layers, _, mut rest)) = counts(bytes) else { return labels };
    // A name and an origin for each layer.
    let mut skipped = 0;
    while skipped < 2 * layers as u64
        && let Some((_, tail)) = decode_str(rest)
    {
        rest = tail;
        skipped += 1;
    }
    let mut label = 0;
    while label < COUNT
        && let Some((text, tail)) = decode_str(rest)
    {
        rest = tail;
        labels[label] = text;
        label += 1;
    }
    labels
}

/// Decodes the numbers of layers and labels, and returns them with the bytes that follow.
const fn counts(bytes: &[u8]) -> Option<(u32, u32, &[u8])> {
    let at = u32_at(bytes, offset_of!(Preamble, header_at)) as usize;
    let len = u32_at(bytes, offset_of!(Preamble, header_len)) as usize;
    let Some((_, header)) = bytes.split_at_checked(at) else { return None };
    let Some((header, _)) = header.split_at_checked(len) else { return None };
    let Some((_name, rest)) = decode_str(header) else { return None };
    let Some((_producer, rest)) = decode_str(rest) else { return None };
    let Some((layers, rest)) = decode(rest) else { return None };
    let Some((labels, rest)) = decode(rest) else { return None };
    Some((layers, labels, rest))
}
