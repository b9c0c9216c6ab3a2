//! What quantization did to each layer.

use std::fmt;
use std::path::Path;

use anyhow::Result;

use crate::deployed::ModelFile;
use crate::layers::Kind;
use crate::net::Network;

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
        let mut errors = Vec::new();
        for (count, layer) in network.layers.iter().enumerate() {
            if matches!(layer.kind, Kind::Normalization(_)) {
                continue;
            }
            let layers = network.layers[..=count].to_vec();
            let prefix = Network::new(network.input_size, layers);
            let packed = if count + 1 == network.layers.len() { bytes.clone() } else { pack(&prefix)? };
            errors.push(LayerError::measure(&layer.name, &prefix, &packed, sequences)?);
        }
        Ok(Quantized { bytes, errors })
    }
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
    fn measure(name: &str, network: &Network<f32>, bytes: &[u8], sequences: &[&[f32]]) -> Result<Self> {
        let file = ModelFile::new(Path::new(name), bytes);
        let model = file.deploy()?;
        let (mut worst, mut squares, mut count, mut range) = (0f64, 0f64, 0usize, 0f64);
        for sequence in sequences.iter().filter(|s| !s.is_empty()) {
            for (found, golden) in model.predict(sequence)?.into_iter().zip(network.predict(sequence)) {
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
