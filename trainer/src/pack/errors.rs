//! What quantization did to each layer.

use std::fmt;
use std::path::Path;

use anyhow::Result;

use super::calibrate::LONGEST;
use crate::data::is_masked;
use crate::evaluate::EncoderDecoder;
use crate::layers::Kind;
use crate::net::Network;
use crate::session::{ModelFile, RunMode};

/// A quantized model and what quantization did to it.
pub struct Quantized {
    /// The model file.
    pub bytes: Vec<u8>,
    /// The error of each layer's output on the calibration data, first to last.
    pub errors: Vec<LayerError>,
}

impl Quantized {
    /// The file that `pack` makes of `network`, and of what each of its layers answers to `sequences` the difference from
    /// the float network: measured on the file of the layers up to it.
    pub fn new(
        network: &Network<f32>,
        sequences: &[&[f32]],
        pack: impl Fn(&Network<f32>) -> Result<Vec<u8>>,
    ) -> Result<Self> {
        let bytes = pack(network)?;
        let sequences = &unmasked(network, sequences);
        let mut errors = Vec::new();
        let last = network.layers.len() - usize::from(network.decoder.is_none());
        for (count, layer) in network.layers.iter().enumerate() {
            if count < entrance(network) {
                continue;
            }
            let layers = network.layers[..=count].to_vec();
            let prefix = Network::new(network.input_size, layers);
            let packed = if count == last { bytes.clone() } else { pack(&prefix)? };
            errors.push(LayerError::measure(&layer.name, &prefix, &packed, sequences)?);
        }
        if let Some(layer) = network.decoder.as_ref().and_then(|decoder| decoder.layers.last()) {
            errors.push(LayerError::measure(&layer.name, network, &bytes, sequences)?);
        }
        Ok(Quantized { bytes, errors })
    }
}

/// The first layers that only turn real inputs into integers, in an integer model.
fn entrance(network: &Network<f32>) -> usize {
    let kind = |place: usize| network.layers.get(place).map(|layer| &layer.kind);
    let masks = usize::from(matches!(kind(0), Some(Kind::Masking(_))));
    masks + usize::from(matches!(kind(masks), Some(Kind::Normalization(_) | Kind::BatchNormalization(_))))
}

/// The sequences without the frames that are none: a model repeats its answer there, a network gives none.
fn unmasked(network: &Network<f32>, sequences: &[&[f32]]) -> Vec<Vec<f32>> {
    let mask_value = match network.layers.first().map(|layer| &layer.kind) {
        Some(Kind::Masking(layer)) => Some(layer.mask_value),
        Some(Kind::Embedding(layer)) if layer.mask_zero => Some(0.0),
        _ => None,
    };
    let is_none = |frame: &&[f32]| mask_value.is_some_and(|value| is_masked(frame, value));
    let frames = |sequence: &&[f32]| {
        sequence.chunks_exact(network.input_size).filter(|frame| !is_none(frame)).collect::<Vec<_>>().concat()
    };
    sequences.iter().map(frames).collect()
}

/// How far a layer's output is from that of the float network.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerError {
    /// The layer's name.
    pub name: String,
    /// Largest difference.
    pub worst: f64,
    /// Root of the mean square difference.
    pub rms: f64,
    /// Largest magnitude of the float output, to compare with.
    pub range: f64,
}

impl LayerError {
    /// Of a network's answers; of an encoder-decoder's those to what the float network writes.
    fn measure(name: &str, network: &Network<f32>, bytes: &[u8], sequences: &[Vec<f32>]) -> Result<Self> {
        let file = ModelFile::new(Path::new(name), bytes);
        let model = file.deploy()?;
        let (mut worst, mut squares, mut count, mut range) = (0f64, 0f64, 0usize, 0f64);
        for sequence in sequences.iter().filter(|s| !s.is_empty()) {
            let (found, golden) = if network.decoder.is_some() {
                let written: Vec<f32> =
                    network.decode(sequence, LONGEST).iter().map(|&id| id as f32).collect();
                (model.predict_forced(sequence, &written)?, network.predict_forced(sequence, &written))
            } else {
                (model.predict(sequence, RunMode::Sequence)?, network.predict(sequence))
            };
            for (found, golden) in found.into_iter().zip(golden) {
                let error = (f64::from(found) - f64::from(golden)).abs();
                worst = worst.max(error);
                squares += error * error;
                count += 1;
                range = range.max(f64::from(golden).abs());
            }
        }
        Ok(Self { name: name.to_owned(), worst, rms: (squares / count.max(1) as f64).sqrt(), range })
    }
}

/// The errors of all layers as a table for a terminal, a line for each.
pub struct ErrorTable<'a>(pub &'a [LayerError]);

impl fmt::Display for ErrorTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|error| error.name.chars().count()).max().unwrap_or(0).max(8);
        write!(f, "{:<width$} {:>10} {:>10} {:>10}", "layer", "worst", "rms", "range")?;
        self.0.iter().try_for_each(|LayerError { name, worst, rms, range }| {
            write!(f, "\n{name:<width$} {worst:>10.6} {rms:>10.6} {range:>10.4}")
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::pack::{Meta, Random, quantize};

    /// Layers that turn real inputs into integers have no answers of their own.
    #[test]
    fn every_layer_but_the_entrance_has_an_error() {
        for (entrance, errors) in [
            ("{ type = 'Normalization' }", 2),
            ("{ type = 'BatchNormalization' }", 2),
            ("{ type = 'Masking' }, { type = 'BatchNormalization' }", 2),
            ("{ type = 'Masking' }, { type = 'Dense', units = 3 }, { type = 'BatchNormalization' }", 3),
        ] {
            let layers =
                format!("{entrance}, {{ type = 'LayerNormalization' }}, {{ type = 'GRU', units = 2 }}");
            let (network, frames) =
                Random { layers: &layers, input_size: 2, steps: 9, seed: 1 }.make().unwrap();
            let found = quantize(&network, &Meta::default(), &[&frames]);
            let found = found.unwrap_or_else(|error| panic!("{layers}: {error:#}"));
            assert_eq!(found.errors.len(), errors, "{layers}");
        }
    }
}
