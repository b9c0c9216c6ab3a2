//! Quantization: an i8 model file of a network, by the rules of runtime/INTEGER.md, and weights in half floats.
//!
//! `calibrate` observes the ranges that integers need, `input` maps real inputs to integers, `file` writes the layers, and
//! `errors` measures what each layer lost. How a layer becomes integers is stated in the layer's own file.

mod calibrate;
mod errors;
mod file;
mod input;

pub use calibrate::{calibrate, sample};
pub use errors::{ErrorTable, LayerError, Quantized};

use anyhow::{Context, Result};
use embedded_rnn_nn::export::FloatWeights;
use embedded_rnn_nn::net::Network;

use crate::fold::folded;
use crate::meta::Meta;
use crate::write::{check_packable, write_float};

/// Quantizes `network` with the ranges of `sequences`, the first of which also gives the golden trace.
///
/// # Errors
/// A layer that integers cannot run, by name; sequences without frames.
pub fn quantize(network: &Network<f32>, meta: &Meta, sequences: &[&[f32]]) -> Result<Quantized> {
    check_packable(network)?;
    let network = integer_form(&folded(network))?;
    let ranges = calibrate(&network, sequences.iter().copied())?;
    Quantized::new(&network, sequences, |network| file::write_int(network, meta, sequences, &ranges))
}

/// Rounds the weights of a network to those of `N`, and measures the error of each layer on `sequences`, the first of which
/// gives the golden trace.
///
/// # Errors
/// As [`write_float`].
pub fn quantize_weights<N: FloatWeights>(
    network: &Network<f32>,
    meta: &Meta,
    sequences: &[&[f32]],
) -> Result<Quantized> {
    let frames = sequences.iter().find(|s| !s.is_empty()).context("no frames")?;
    Quantized::new(&folded(network), sequences, |network| write_float::<N>(network, meta, frames))
}

/// Rejects a network with an activation that integers cannot run.
///
/// # Errors
/// The layer's name, and its activation.
pub fn check_quantizable(network: &Network<f32>) -> Result<()> {
    integer_form(&folded(network)).map(|_| ())
}

/// Returns the same network, of layers that integers have.
fn integer_form(network: &Network<f32>) -> Result<Network<f32>> {
    let mut layers = Vec::new();
    for layer in &network.layers {
        layers.extend(layer.kind.integer_form(&layer.name).with_context(|| layer.name.clone())?);
    }
    let decoder = network.decoder.as_ref().map(|decoder| integer_form(decoder)).transpose()?;
    Ok(Network { input_size: network.input_size, layers, decoder: decoder.map(Box::new) })
}

#[cfg(test)]
mod tests {
    use crate::{Meta, Random, quantize};

    #[test]
    fn a_decoder_starts_from_states_in_the_same_units() {
        let random = |layers: &str| Random { layers, input_size: 1, steps: 9, seed: 1 }.make().unwrap();
        let bounded = ["tanh", "sigmoid"];
        for (encoder, decoder) in
            [("tanh", "sigmoid"), ("relu", "linear"), ("tanh", "linear"), ("relu", "tanh")]
        {
            for cell in ["LSTM", "GRU", "SimpleRNN"] {
                let words = "{ type = 'Embedding', input_dim = 3, output_dim = 2 }";
                let layer =
                    |activation| format!("{{ type = '{cell}', units = 3, activation = '{activation}'");
                let (mut network, frames) = random(&format!("{words}, {} }}", layer(encoder)));
                let head = "{ type = 'Dense', units = 3, activation = 'softmax' }";
                let decoder_layers =
                    format!("{words}, {}, return_sequences = true }}, {head}", layer(decoder));
                network.decoder = Some(Box::new(random(&decoder_layers).0));
                // So that nothing without a bound grows all the time.
                network.parameters_mut().into_iter().for_each(|parameter| *parameter *= 0.3);
                let found = quantize(&network, &Meta::default(), &[&frames]).map(|_| ());
                if bounded.contains(&encoder) == bounded.contains(&decoder) {
                    found.unwrap();
                } else {
                    let said = format!("{:#}", found.unwrap_err());
                    assert!(said.contains("starts from the states of"), "{said}");
                }
            }
        }
    }

    /// Frames whose variance is far below epsilon, around it, above it, and nothing at all; the error as a share of the
    /// outputs, of 20 networks, is mostly that of the weights before: 0.010 at worst.
    #[test]
    fn a_layer_normalization_of_any_variance_has_integers() {
        let layers = "{ type = 'Dense', units = 4 }, { type = 'LayerNormalization' }";
        for size in [0.0, 1e-3, 1e-2, 0.1, 1.0] {
            for seed in 0..20 {
                let random = Random { layers, input_size: 3, steps: 50, seed };
                let (mut network, frames) = random.make().unwrap();
                let embedded_rnn_nn::layers::Kind::Dense(dense) = &mut network.layers[0].kind else {
                    unreachable!()
                };
                dense.weight *= size;
                dense.bias *= size;
                let embedded_rnn_nn::layers::Kind::LayerNormalization(layer) = &mut network.layers[1].kind
                else {
                    unreachable!()
                };
                layer.beta.fill(0.0);
                let errors = quantize(&network, &Meta::default(), &[&frames]).unwrap().errors;
                assert!(errors[1].worst <= 0.0121 * errors[1].range, "{size}, seed {seed}: {:?}", errors[1]);
            }
        }
    }
}
