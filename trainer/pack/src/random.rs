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

/// The description of a network with random weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Random<'a> {
    /// The layers in the syntax of a config: `{ type = 'LSTM', units = 32 }, { type = 'Dense', units = 3 }`.
    pub layers: &'a str,
    /// Features per frame; 1 if the first layer is an Embedding.
    pub input_size: usize,
    /// Frames of the generated sequence.
    pub steps: usize,
    /// The seed of weights and frames.
    pub seed: u64,
}

impl Random<'_> {
    /// Makes the network and a sequence of frames, all values distributed uniformly: weights and biases in
    /// +-1.5/sqrt(H) (H: the units of a cell, the inputs of any other layer), gamma and variances in
    /// 0.5..1.5, features in +-1, and ids over the whole vocabulary. No two weights are equal by symmetry.
    ///
    /// # Errors
    /// Layers that a config cannot have.
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

    /// Returns the data set from which a Normalization takes its statistics.
    fn data(&self, frames: &[f32]) -> Result<Dataset> {
        let shape = vec![1, self.steps, self.input_size];
        let x = Array { shape, values: Values::Floats(frames.to_vec()) };
        let y = Array { shape: vec![1], values: Values::Integers(vec![0]) };
        Dataset::from_arrays(x, None, y, ["x", "y"])
    }
}

/// Returns a recurrent layer with an output at every time step in the syntax of [`Random::layers`]; `options`
/// are those of [`VARIANTS`](embedded_rnn_nn::cells::VARIANTS).
pub fn recurrent_layer(cell: &str, options: &str, units: usize) -> String {
    let options = options.replace('\n', ", ");
    let comma = if options.is_empty() { "" } else { ", " };
    format!("{{ type = '{cell}', units = {units}, return_sequences = true{comma}{options} }}")
}

/// Makes a network of one [`recurrent_layer`] named `cell`, with `units` over `input_size` features, and a
/// sequence of `steps` frames.
///
/// # Errors
/// Options that a config cannot have.
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

/// Returns the f32 and the i8 model file of a network, the latter calibrated on `frames`.
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
