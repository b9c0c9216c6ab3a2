//! Networks with random weights, for boards, benchmarks and tests.

use anyhow::{Context, Result};
use embedded_rnn::F32;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use embedded_rnn_nn::config::Config;
use embedded_rnn_nn::data::{Array, Dataset, Values};
use embedded_rnn_nn::layers::Layer;
use embedded_rnn_nn::net::Network;
use embedded_rnn_nn::tensor::Matrix;

use crate::meta::Meta;
use crate::quantize::quantize;
use crate::write::write_float;

/// A network to be made up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Random<'a> {
    /// Its layers, as a config has them: `{ type = 'LSTM', units = 32 }, { type = 'Dense', units = 3 }`.
    pub layers: &'a str,
    /// Features of a frame; 1 if the first layer is an Embedding.
    pub input_size: usize,
    /// Frames of the sequence that comes with it.
    pub steps: usize,
    /// All that is random follows from this.
    pub seed: u64,
}

impl Random<'_> {
    /// The network, its weights and biases even in +-1.5/sqrt(H) (H: a cell's units, else a layer's inputs), factors and
    /// variances in 0.5..1.5, and a sequence of frames even in +-1, or of ids. Nothing in it is symmetric.
    ///
    /// # Errors
    /// Layers that no config can have.
    pub fn make(&self) -> Result<(Network<f32>, Vec<f32>)> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let text = format!(
            "name = 'random'\ndata.file = ''\nlayers = [{}]\ntraining = {{ loss = 'mse', epochs = 1 }}",
            self.layers
        );
        let config: Config = toml::from_str(&text).with_context(|| self.layers.to_owned())?;
        let ids =
            config.layers.first().and_then(|layer| layer.get().ids()).map(|embedding| embedding.input_dim);
        let frames: Vec<f32> = (0..self.input_size * self.steps)
            .map(|_| match ids {
                Some(ids) => rng.random_range(0..ids) as f32,
                None => rng.random_range(-1.0..1.0),
            })
            .collect();
        let mut network = config.network(&self.data(&frames)?, self.seed);
        network.layers.iter_mut().for_each(|layer| scramble(layer, &mut rng));
        Ok((network, frames))
    }

    /// What layers that are measured on data are measured on.
    fn data(&self, frames: &[f32]) -> Result<Dataset> {
        let shape = vec![1, self.steps, self.input_size];
        let x = Array { shape, values: Values::Floats(frames.to_vec()) };
        let y = Array { shape: vec![1], values: Values::Integers(vec![0]) };
        Dataset::from_arrays(x, None, y, ["x", "y"])
    }
}

/// A recurrent layer that returns sequences, as [`Random::layers`] has it, with options as in
/// [`VARIANTS`](embedded_rnn_nn::cells::VARIANTS).
pub fn recurrent_layer(cell: &str, options: &str, units: usize) -> String {
    let options = options.replace('\n', ", ");
    let comma = if options.is_empty() { "" } else { ", " };
    format!("{{ type = '{cell}', units = {units}, return_sequences = true{comma}{options} }}")
}

/// [`Random::make`] of one [`recurrent_layer`] of `units` over `input_size` features, called `cell`.
///
/// # Errors
/// Options that no config can have.
pub fn random_cell(
    (cell, options): (&str, &str),
    (input_size, units): (usize, usize),
    steps: usize,
    seed: u64,
) -> Result<(Network<f32>, Vec<f32>)> {
    let layers = recurrent_layer(cell, options, units);
    let (mut network, frames) = Random { layers: &layers, input_size, steps, seed }.make()?;
    network.layers[0].name = "cell".to_owned();
    Ok((network, frames))
}

/// The f32 and the i8 model file of a network, the latter calibrated on these frames.
///
/// # Errors
/// Layers that the runtime does not have.
pub fn files(network: &Network<f32>, frames: &[f32]) -> Result<(Vec<u8>, Vec<u8>)> {
    let meta = Meta { name: "random".into(), ..Meta::default() };
    Ok((write_float::<F32>(network, &meta, frames)?, quantize(network, &meta, &[frames])?.bytes))
}

fn scramble(layer: &mut Layer<f32>, rng: &mut ChaCha8Rng) {
    let is_factor: Vec<bool> =
        layer.kind.get().parameters().iter().map(|(name, _)| *name == "gamma").collect();
    let units = layer.kind.get().states().first().copied();
    let module = layer.kind.get_mut();
    let inputs = module.parameters().first().map_or(1, |(_, matrix)| matrix.ncols());
    let limit = 1.5 / (units.unwrap_or(inputs) as f32).sqrt();
    for (parameter, factor) in module.parameters_mut().into_iter().zip(is_factor) {
        let range = if factor { 0.5..1.5 } else { -limit..limit };
        parameter.iter_mut().for_each(|value| *value = rng.random_range(range.clone()));
    }
    let mut statistics: Vec<&mut Matrix<f32>> = module.statistics_mut();
    if let [mean, variance] = &mut statistics[..] {
        mean.iter_mut().for_each(|value| *value = rng.random_range(-0.5..0.5));
        variance.iter_mut().for_each(|value| *value = rng.random_range(0.5..1.5));
    }
}
