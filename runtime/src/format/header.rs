//! The header: names and labels, which people read and the kernels do not.
//!
//! It is decoded on request only, so a board that never asks for names links none of this.

use super::varint::{Decoded, decode, decode_str};

/// The first part of the header; `layers` times a [`LayerInfo`] and `labels` times a `&str` follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelInfo<'a> {
    /// The model's name.
    pub name: &'a str,
    /// The program and version that wrote the file.
    pub producer: &'a str,
    /// The number of layers described, that of the layer records.
    pub layers: u32,
    /// The number of class names, 0 if the classes have none.
    pub labels: u32,
}

/// The header's entry for one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerInfo<'a> {
    /// The layer's name, `lstm_1`.
    pub name: &'a str,
    /// The layer's origin: empty if trained here, else the file and path that it was imported from.
    pub origin: &'a str,
}

impl<'a> ModelInfo<'a> {
    /// Decodes the first part of a header and returns it with the bytes that follow.
    fn decode(bytes: &'a [u8]) -> Decoded<'a, Self> {
        let (name, rest) = decode_str(bytes)?;
        let (producer, rest) = decode_str(rest)?;
        let (layers, rest) = decode(rest)?;
        let (labels, rest) = decode(rest)?;
        Some((ModelInfo { name, producer, layers, labels }, rest))
    }

    /// Returns the fields in the order of the file: postcard writes a tuple as it writes a struct.
    pub fn fields(&self) -> (&'a str, &'a str, u32, u32) {
        (self.name, self.producer, self.layers, self.labels)
    }
}

impl<'a> LayerInfo<'a> {
    /// Decodes the entry of a layer and returns it with the bytes that follow.
    fn decode(bytes: &'a [u8]) -> Decoded<'a, Self> {
        let (name, rest) = decode_str(bytes)?;
        let (origin, rest) = decode_str(rest)?;
        Some((LayerInfo { name, origin }, rest))
    }

    /// Returns the fields in the order of the file.
    pub fn fields(&self) -> (&'a str, &'a str) {
        (self.name, self.origin)
    }
}

/// A header, decoded in place.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    info: ModelInfo<'a>,
    rest: &'a [u8],
}

impl<'a> Header<'a> {
    /// Decodes the first part; `None` if the bytes are not a header.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let (info, rest) = ModelInfo::decode(bytes)?;
        Some(Header { info, rest })
    }

    /// Returns names and counts.
    pub fn info(&self) -> ModelInfo<'a> {
        self.info
    }

    /// Returns the layers, first to last; ends early if the header does.
    pub fn layers(&self) -> impl Iterator<Item = LayerInfo<'a>> + 'a {
        items(self.rest, self.info.layers, LayerInfo::decode)
    }

    /// Returns the names of the classes; ends early if the header does.
    pub fn labels(&self) -> impl Iterator<Item = &'a str> + 'a {
        let mut rest = self.rest;
        for _ in 0..self.info.layers {
            match LayerInfo::decode(rest) {
                Some((_, tail)) => rest = tail,
                None => break,
            }
        }
        items(rest, self.info.labels, decode_str)
    }
}

/// Decodes up to `count` items, one after another.
fn items<'a, T: 'a>(
    bytes: &'a [u8],
    count: u32,
    decode: fn(&'a [u8]) -> Decoded<'a, T>,
) -> impl Iterator<Item = T> + 'a {
    let mut rest = bytes;
    (0..count).map_while(move |_| {
        let (item, tail) = decode(rest)?;
        rest = tail;
        Some(item)
    })
}
