//! Networks trained elsewhere: read as they are, or refused with the name of what is not understood.
//!
//! A format is a module that makes a [`Network`] of layers with their gates in our order, and says where each layer came
//! from. What all formats share is here: [`Tensor`], numbers that a file gives; [`cells`], weights and gate orders.

pub mod cells;
pub mod keras;
pub mod onnx;
pub mod pytorch;
mod tensor;

pub use tensor::Tensor;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Result, bail, ensure};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::layers::{Kind, Layer};
use crate::net::Network;
use crate::pack::{FloatWeights, GOLDEN_STEPS, Meta, check_packable, write_float};

/// Most bytes that a file, or anything packed inside it, may unfold to: far beyond any network for a microcontroller, and
/// no danger to a PC.
pub const MOST_BYTES: u64 = 1 << 30;

/// A network read from another framework's file.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// Its layers, in our terms.
    pub network: Network<f32>,
    /// Its name, and where each layer came from.
    pub meta: Meta,
}

/// What goes layer by layer into an [`Imported`].
#[derive(Debug, Default)]
pub struct Chain {
    layers: Vec<Layer<f32>>,
    meta: Meta,
}

impl Chain {
    /// A further layer. `origin` says what it was there: `LSTM lstm_1`, `node GRU_5`.
    ///
    /// # Errors
    /// A layer of this name is there already.
    pub fn push(&mut self, name: &str, origin: String, kind: Kind<f32>) -> Result<()> {
        ensure!(!self.meta.origins.contains_key(name), "{name}: the name of another layer too");
        self.meta.origins.insert(name.to_owned(), origin);
        self.layers.push(Layer { name: name.to_owned(), kind });
        Ok(())
    }

    /// The layers so far.
    pub fn layers(&self) -> &[Layer<f32>] {
        &self.layers
    }

    /// The layers so far, to change.
    pub fn layers_mut(&mut self) -> &mut [Layer<f32>] {
        &mut self.layers
    }

    /// The network of these layers over frames of `input_size` features.
    ///
    /// # Errors
    /// No layers, or those that the runtime does not have, by name.
    pub fn finish(self, name: &str, input_size: usize) -> Result<Imported> {
        ensure!(!self.layers.is_empty(), "no layers");
        let network = Network::new(input_size, self.layers);
        check_packable(&network)?;
        Ok(Imported { network, meta: Meta { name: name.to_owned(), ..self.meta } })
    }
}

impl Imported {
    /// The model file.
    ///
    /// # Errors
    /// As [`write_float`].
    pub fn write<N: FloatWeights>(&self) -> Result<Vec<u8>> {
        write_float::<N>(&self.network, &self.meta, &self.frames(GOLDEN_STEPS))
    }

    /// Made-up input frames, as no data comes with such a file: ids if it begins with an embedding, else numbers even in
    /// +-1. The same at every call.
    pub fn frames(&self, steps: usize) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let ids = match self.network.layers.first().map(|layer| &layer.kind) {
            Some(Kind::Embedding(layer)) => Some(layer.weight.ncols()),
            _ => None,
        };
        let frame = |_| match ids {
            // 0 may be a mask, and a masked frame would say nothing.
            Some(ids) => rng.random_range(ids.min(2) - 1..ids) as f32,
            None => rng.random_range(-1.0..1.0),
        };
        (0..steps * self.network.input_size).map(frame).collect()
    }
}

/// Reads a file, by the extension of its name.
///
/// # Errors
/// What is not understood, by layer and attribute; a damaged file; anything that would unfold to more than [`MOST_BYTES`].
pub fn read(path: &Path) -> Result<Imported> {
    read_with(path, &pytorch::Options::default())
}

/// [`read`], and what a `.safetensors` file does not say.
///
/// # Errors
/// As [`read`]; an option, by its flag, for a file of another format.
pub fn read_with(path: &Path, options: &pytorch::Options) -> Result<Imported> {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    if let Some(flag) = options.given().filter(|_| extension != "safetensors") {
        bail!("{flag}: only for a .safetensors file");
    }
    match extension.as_str() {
        "keras" | "h5" | "hdf5" => keras::read(bytes(path)?, &name),
        "onnx" => onnx::read(&bytes(path)?, &name),
        "safetensors" => pytorch::read(&bytes(path)?, &name, options),
        _ => bail!("not a .keras, .h5, .hdf5, .onnx or .safetensors file by its name"),
    }
}

/// A file, if it is not longer than any that is read.
fn bytes(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    ensure!(bytes.len() as u64 <= MOST_BYTES, "more than {MOST_BYTES} bytes");
    Ok(bytes)
}
