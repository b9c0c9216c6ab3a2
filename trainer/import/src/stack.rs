//! The result of an import: a stack of layers with their origins.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use embedded_rnn_nn::layers::{Kind, Layer, Signal};
use embedded_rnn_nn::net::Network;
use embedded_rnn_pack::session::{RunMode, Session};
use embedded_rnn_pack::{FloatWeights, GOLDEN_STEPS, Meta, check_packable, write_float};

/// A network read from another framework's file.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The layers.
    pub network: Network<f32>,
    /// The name of the network, and the origin of each layer.
    pub meta: Meta,
    /// Facts for the user, a line each: what was assumed, and what is probably wrong in the file.
    pub notes: Vec<String>,
}

/// The layers that an importer has read so far, first to last.
#[derive(Debug, Default)]
pub struct LayerStack {
    layers: Vec<Layer<f32>>,
    meta: Meta,
}

impl LayerStack {
    /// Appends a layer. `origin` describes it in the terms of the file: `LSTM lstm_1`, `node GRU_5`.
    ///
    /// # Errors
    /// A name that another layer has.
    pub fn push(&mut self, name: &str, origin: String, kind: Kind<f32>) -> Result<()> {
        ensure!(!self.meta.origins.contains_key(name), "{name}: duplicate layer name");
        self.meta.origins.insert(name.to_owned(), origin);
        self.layers.push(Layer { name: name.to_owned(), kind });
        Ok(())
    }

    /// Returns the layers.
    pub fn layers(&self) -> &[Layer<f32>] {
        &self.layers
    }

    /// Returns the layers, mutably.
    pub fn layers_mut(&mut self) -> &mut [Layer<f32>] {
        &mut self.layers
    }

    /// Returns the network of these layers over frames of `input_size` features.
    ///
    /// # Errors
    /// No layers, or a layer that the runtime does not support, by name.
    pub fn finish(self, name: &str, input_size: usize) -> Result<Imported> {
        ensure!(!self.layers.is_empty(), "no layers");
        let network = Network::new(input_size, self.layers);
        check_packable(&network)?;
        Ok(Imported { network, meta: Meta { name: name.to_owned(), ..self.meta }, notes: Vec::new() })
    }
}

impl Imported {
    /// Returns the bytes of the model file.
    ///
    /// # Errors
    /// As [`write_float`], and a golden trace that is not finite, by the first layer with such an output.
    pub fn write<N: FloatWeights>(&self) -> Result<Vec<u8>> {
        let frames = self.synthetic_frames(GOLDEN_STEPS);
        let bytes = write_float::<N>(&self.network, &self.meta, &frames)?;
        self.check_golden(&bytes, &frames)?;
        Ok(bytes)
    }

    /// Checks that the packed network has finite outputs for the frames of the golden trace.
    fn check_golden(&self, bytes: &[u8], frames: &[f32]) -> Result<()> {
        let model = Session::new(Path::new(&self.meta.name), bytes)?;
        if model.predict(frames, RunMode::Sequence)?.iter().all(|value| value.is_finite()) {
            return Ok(());
        }
        let mut first = None;
        self.network.predict_observed(frames, &[], &mut |layer, signal, values| {
            if signal == Signal::Output && !values.iter().all(|value| value.is_finite()) {
                first.get_or_insert(layer);
            }
        });
        match first.and_then(|layer| self.network.layers.get(layer)) {
            Some(layer) => bail!("{}: the outputs for random input are not finite", layer.name),
            None => bail!("the outputs for random input are not finite"),
        }
    }

    /// Describes the output of the network in a line: its size, and the time steps that it stems from.
    pub fn output(&self) -> String {
        let size = match self.network.output_size() {
            1 => "1 value".to_owned(),
            size => format!("{size} values"),
        };
        if self.network.returns_sequences() {
            return format!("{size} at every time step");
        }
        let is_pooling =
            |kind: &Kind<f32>| matches!(kind, Kind::GlobalMaxPooling1D(_) | Kind::GlobalAveragePooling1D(_));
        if self.network.layers.iter().any(|layer| is_pooling(&layer.kind)) {
            return format!("{size} for all time steps so far");
        }
        let is_recurrent =
            |layer: &&Layer<f32>| matches!(layer.kind, Kind::Recurrent(_) | Kind::Bidirectional(_));
        let last = self.network.layers.iter().rev().find(is_recurrent);
        let states = match last {
            Some(Layer { name, kind: Kind::Bidirectional(_) }) => {
                format!(
                    ", from the final states of both directions of {name}: h_n in PyTorch, and not out[:, -1]"
                )
            }
            _ => String::new(),
        };
        format!("{size} at the last time step{states}")
    }

    /// Returns random input frames for the golden trace, as imported files have no data: ids if the network
    /// starts with an embedding, otherwise values uniform in +-1. Every call returns the same frames.
    pub fn synthetic_frames(&self, steps: usize) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let ids = match self.network.layers.first().map(|layer| &layer.kind) {
            Some(Kind::Embedding(layer)) => Some(layer.weight.ncols()),
            _ => None,
        };
        let frame = |_| match ids {
            // Id 0 may be masked, and a masked frame tests nothing.
            Some(ids) => rng.random_range(ids.min(2) - 1..ids) as f32,
            None => rng.random_range(-1.0..1.0),
        };
        (0..steps * self.network.input_size).map(frame).collect()
    }
}
