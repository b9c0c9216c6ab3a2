//! The postcard header: what people want to know of a model and the kernels do not.
//!
//! It is read only on request, so a board that never asks for names links none of this.

use serde::{Deserialize, Serialize};

/// First part of the header; `layers` times a [`LayerInfo`] and `labels` times a `&str` follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo<'a> {
    /// The model's name.
    pub name: &'a str,
    /// Program and version that wrote the file.
    pub producer: &'a str,
    /// Layers described, as many as there are layer records.
    pub layers: u32,
    /// Names of the classes, 0 if they have none.
    pub labels: u32,
}

/// What the header says of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerInfo<'a> {
    /// The layer's name, `lstm_1`.
    pub name: &'a str,
    /// Where it came from: trained here, or the file and path it was imported from.
    pub origin: &'a str,
}

/// A header in place.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    info: ModelInfo<'a>,
    rest: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads the first part; `None` if the bytes are not a header.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let (info, rest) = postcard::take_from_bytes(bytes).ok()?;
        Some(Header { info, rest })
    }

    /// Names and counts.
    pub fn info(&self) -> ModelInfo<'a> {
        self.info
    }

    /// The layers, first to last; ends early if the header does.
    pub fn layers(&self) -> impl Iterator<Item = LayerInfo<'a>> + 'a {
        items(self.rest, self.info.layers)
    }

    /// The names of the classes.
    pub fn labels(&self) -> impl Iterator<Item = &'a str> + 'a {
        let mut rest = self.rest;
        for _ in 0..self.info.layers {
            match postcard::take_from_bytes::<LayerInfo>(rest) {
                Ok((_, tail)) => rest = tail,
                Err(_) => break,
            }
        }
        items(rest, self.info.labels)
    }
}

fn items<'a, T: Deserialize<'a> + 'a>(bytes: &'a [u8], count: u32) -> impl Iterator<Item = T> + 'a {
    let mut rest = bytes;
    (0..count).map_while(move |_| {
        let (item, tail) = postcard::take_from_bytes(rest).ok()?;
        rest = tail;
        Some(item)
    })
}
