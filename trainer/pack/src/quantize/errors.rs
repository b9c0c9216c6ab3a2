//! The quantization error of each layer.

use std::fmt;
use std::path::Path;

use anyhow::Result;
use embedded_rnn_nn::data::is_masked;
use embedded_rnn_nn::evaluate::EncoderDecoder;
use embedded_rnn_nn::net::Network;

use super::calibrate::MAX_GENERATED;
use super::classes::ClassChanges;
use super::input::input_layers;
use crate::meta::Meta;
use crate::session::{RunMode, Session};

/// A quantized model and its quantization error.
pub struct Quantized {
    /// The model file.
    pub bytes: Vec<u8>,
    /// The error of each layer's output on the calibration data, first to last.
    pub errors: Vec<LayerError>,
    /// The changes of the class on the calibration data, if the model is a classifier.
    pub classes: Option<ClassChanges>,
}

impl Quantized {
    /// Packs `network` with `pack` and measures the error of each layer: a file of the layers up to it is run
    /// over `sequences`, and its output is compared with that of the float network.
    ///
    /// # Errors
    /// The errors of `pack`.
    pub fn new(
        network: &Network<f32>,
        meta: &Meta,
        sequences: &[&[f32]],
        pack: impl Fn(&Network<f32>) -> Result<Vec<u8>>,
    ) -> Result<Self> {
        let bytes = pack(network)?;
        let sequences = &unmasked(network, sequences);
        let (mut errors, mut classes) = (Vec::new(), None);
        let inner = network.layers.len() - usize::from(network.decoder.is_none());
        let first = input_layers(network);
        for (count, layer) in network.layers[..inner].iter().enumerate().skip(first) {
            let prefix = Network::new(network.input_size, network.layers[..=count].to_vec());
            let runs = Run::all(&layer.name, &prefix, &pack(&prefix)?, sequences)?;
            errors.push(LayerError::new(&layer.name, &runs));
        }
        if let Some(layer) = network.all_layers().skip(first).last() {
            let runs = Run::all(&layer.name, network, &bytes, sequences)?;
            errors.push(LayerError::new(&layer.name, &runs));
            classes = ClassChanges::count(network, meta, &runs);
        }
        Ok(Quantized { bytes, errors, classes })
    }

    /// Returns the root mean square error of the output of the model.
    pub(super) fn output_error(&self) -> f64 {
        self.errors.last().map_or(0.0, |error| error.rms)
    }
}

/// Removes the masked time steps: a model file repeats its output for them, a network has no output for them.
fn unmasked(network: &Network<f32>, sequences: &[&[f32]]) -> Vec<Vec<f32>> {
    let mask_value = network.layers.first().and_then(|layer| layer.kind.get().mask_value());
    let masked = |frame: &&[f32]| mask_value.is_some_and(|value| is_masked(frame, value));
    let frames = |sequence: &&[f32]| {
        sequence.chunks_exact(network.input_size).filter(|frame| !masked(frame)).collect::<Vec<_>>().concat()
    };
    sequences.iter().map(frames).collect()
}

/// The difference of a layer's output from that of the float network.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerError {
    /// The layer's name.
    pub name: String,
    /// The largest difference.
    pub worst: f64,
    /// The root mean square of the difference.
    pub rms: f64,
    /// The largest magnitude of the float output, for comparison.
    pub range: f64,
}

impl LayerError {
    fn new(name: &str, runs: &[Run]) -> Self {
        let (mut worst, mut squares, mut count, mut range) = (0f64, 0f64, 0usize, 0f64);
        for (&found, &golden) in runs.iter().flat_map(|run| run.found.iter().zip(&run.golden)) {
            let error = (f64::from(found) - f64::from(golden)).abs();
            worst = worst.max(error);
            squares += error * error;
            count += 1;
            range = range.max(f64::from(golden).abs());
        }
        Self { name: name.to_owned(), worst, rms: (squares / count.max(1) as f64).sqrt(), range }
    }
}

/// The outputs for a sequence.
pub(super) struct Run {
    /// Those of the model file.
    pub found: Vec<f32>,
    /// Those of the float network.
    pub golden: Vec<f32>,
}

impl Run {
    /// Runs a file and its network over all sequences.
    fn all(name: &str, network: &Network<f32>, bytes: &[u8], sequences: &[Vec<f32>]) -> Result<Vec<Self>> {
        let session = Session::new(Path::new(name), bytes)?;
        let run = |sequence: &Vec<f32>| {
            let Golden { generated, golden } = Golden::new(network, sequence);
            Ok(Self { found: run(&session, sequence, generated.as_deref())?, golden })
        };
        sequences.iter().filter(|sequence| !sequence.is_empty()).map(run).collect()
    }
}

/// The outputs of a float network for a sequence.
struct Golden {
    /// The classes that the decoder of an encoder-decoder generates and has as its inputs.
    generated: Option<Vec<f32>>,
    golden: Vec<f32>,
}

impl Golden {
    fn new(network: &Network<f32>, sequence: &[f32]) -> Self {
        if network.decoder.is_none() {
            return Self { generated: None, golden: network.predict(sequence) };
        }
        let ids = network.decode(sequence, MAX_GENERATED);
        let generated: Vec<f32> = ids.iter().map(|&id| id as f32).collect();
        let golden = network.predict_forced(sequence, &generated);
        Self { generated: Some(generated), golden }
    }
}

/// Runs a model file over a sequence, and its decoder over the classes `generated`.
fn run(session: &Session, sequence: &[f32], generated: Option<&[f32]>) -> Result<Vec<f32>> {
    match generated {
        None => session.predict(sequence, RunMode::Sequence),
        Some(generated) => session.predict_forced(sequence, generated),
    }
}

/// The outputs of a float network on calibration data, with which those of several files are compared.
pub(super) struct Outputs(Vec<(Vec<f32>, Golden)>);

impl Outputs {
    pub fn new(network: &Network<f32>, sequences: &[&[f32]]) -> Self {
        let sequences = unmasked(network, sequences).into_iter().filter(|sequence| !sequence.is_empty());
        let golden = |sequence: Vec<f32>| {
            let golden = Golden::new(network, &sequence);
            (sequence, golden)
        };
        Self(sequences.map(golden).collect())
    }

    /// Returns the root mean square error of the outputs of a file.
    ///
    /// # Errors
    /// A file that the runtime rejects.
    pub fn rms_error(&self, bytes: &[u8]) -> Result<f64> {
        let session = Session::new(Path::new("candidate"), bytes)?;
        let mut runs = Vec::new();
        for (sequence, Golden { generated, golden }) in &self.0 {
            let found = run(&session, sequence, generated.as_deref())?;
            runs.push(Run { found, golden: golden.clone() });
        }
        Ok(LayerError::new("", &runs).rms)
    }
}

/// The errors of all layers as a table for the terminal, one line per layer.
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
    use crate::{Meta, Random, quantize};

    /// The layers of the input stage map real inputs to integers and have no error of their own.
    #[test]
    fn every_layer_after_the_input_stage_has_an_error() {
        for (input_stage, errors) in [
            ("{ type = 'Normalization' }", 2),
            ("{ type = 'BatchNormalization' }", 2),
            ("{ type = 'Masking' }, { type = 'BatchNormalization' }", 2),
            ("{ type = 'Masking' }, { type = 'Dense', units = 3 }, { type = 'BatchNormalization' }", 3),
        ] {
            let layers =
                format!("{input_stage}, {{ type = 'LayerNormalization' }}, {{ type = 'GRU', units = 2 }}");
            let (network, frames) =
                Random { layers: &layers, input_size: 2, steps: 9, seed: 1 }.make().unwrap();
            let found = quantize(&network, &Meta::default(), &[&frames]);
            let found = found.unwrap_or_else(|error| panic!("{layers}: {error:#}"));
            assert_eq!(found.errors.len(), errors, "{layers}");
        }
    }
}
