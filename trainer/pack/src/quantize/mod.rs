//! Quantization of a network to an i8 model file, by the rules of runtime/INTEGER.md, or to f16 weights.
//!
//! `calibrate` observes the ranges of all signals, `input` maps real features to integers, `fracs` chooses
//! the fraction bits of the activations, `file` writes the layers, `errors` measures the error of each layer,
//! `classes` counts the classes that change, and `excess` names errors that are too large.
//! The quantization of a layer is defined in its own file.

mod calibrate;
mod classes;
mod errors;
mod excess;
mod file;
mod fracs;
mod input;
#[cfg(test)]
mod normalization_tests;

pub use calibrate::{calibrate, sample};
pub use classes::ClassChanges;
pub use errors::{ErrorTable, LayerError, Quantized};
pub use excess::LARGE_ERROR;

use anyhow::{Context, Result};
use embedded_rnn_nn::export::FloatWeights;
use embedded_rnn_nn::layers::{Kind, Layer};
use embedded_rnn_nn::net::Network;

use crate::fold::{folded, folded_at};
use crate::meta::Meta;
use crate::write::{check_packable, write_float};

/// Quantizes `network` to i8 with the ranges of the calibration data `sequences`, the first of which also
/// becomes the golden trace.
///
/// A normalization that [`folded`] leaves inside the network is folded into the layer after it if that
/// increases the error of the output by at most a tenth.
///
/// # Errors
/// The name of a layer that has no integer form; sequences without frames.
pub fn quantize(network: &Network<f32>, meta: &Meta, sequences: &[&[f32]]) -> Result<Quantized> {
    check_packable(network)?;
    let mut network = folded(network);
    let mut quantized = quantize_layers(&network, meta, sequences);
    // From the last layer on, as a layer that is folded is gone.
    for index in (0..network.all_layers().count()).rev() {
        let Some(shorter) = folded_at(&network, index) else { continue };
        let found = quantize_layers(&shorter, meta, sequences);
        if is_preferred(&found, &quantized) {
            (network, quantized) = (shorter, found);
        }
    }
    quantized
}

/// The largest growth of the error of the output for which a network with one layer less is preferred.
const MAX_GROWTH: f64 = 1.1;

/// Returns `true` if the model of a network with one layer less is as good as the other.
fn is_preferred(shorter: &Result<Quantized>, other: &Result<Quantized>) -> bool {
    match (shorter, other) {
        (Err(_), _) => false,
        (Ok(_), Err(_)) => true,
        (Ok(shorter), Ok(other)) => shorter.output_error() <= MAX_GROWTH * other.output_error(),
    }
}

/// Quantizes every layer of a network.
fn quantize_layers(network: &Network<f32>, meta: &Meta, sequences: &[&[f32]]) -> Result<Quantized> {
    let network = integer_form(network)?;
    let ranges = calibrate(&network, sequences.iter().copied())?;
    let pack = |network: &Network<f32>, fracs| file::write_int(network, meta, sequences, &ranges, fracs);
    let fracs = fracs::best(&network, sequences, &|fracs| pack(&network, fracs))?;
    Quantized::new(&network, meta, sequences, |network| pack(network, fracs))
}

/// Rounds the weights of `network` to the weights of dtype `N` and measures the error of each layer on
/// `sequences`, the first of which becomes the golden trace.
///
/// # Errors
/// The errors of [`write_float`].
pub fn quantize_weights<N: FloatWeights>(
    network: &Network<f32>,
    meta: &Meta,
    sequences: &[&[f32]],
) -> Result<Quantized> {
    let frames = sequences.iter().find(|s| !s.is_empty()).context("no frames")?;
    Quantized::new(&folded(network), meta, sequences, |network| write_float::<N>(network, meta, frames))
}

/// Rejects a network with a layer that has no integer form.
///
/// # Errors
/// The name of the layer, and its activation.
pub fn check_quantizable(network: &Network<f32>) -> Result<()> {
    integer_form(&folded(network)).map(|_| ())
}

/// Returns an equal network with layers that have an integer form.
fn integer_form(network: &Network<f32>) -> Result<Network<f32>> {
    let mut layers: Vec<Layer<f32>> = Vec::new();
    let mut starts = Vec::new();
    for (index, layer) in network.layers.iter().enumerate() {
        starts.push(layers.len());
        let mut own = layer.kind.integer_form(&layer.name).with_context(|| layer.name.clone())?;
        if let [Layer { kind: Kind::Add(add), .. }] = &mut own[..] {
            add.span = layers.len() - starts[index - add.span];
        }
        layers.append(&mut own);
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
                // Small weights keep the unbounded activations from growing over time.
                network.parameters_mut().into_iter().for_each(|parameter| *parameter *= 0.3);
                let found = quantize(&network, &Meta::default(), &[&frames]).map(|_| ());
                if bounded.contains(&encoder) == bounded.contains(&decoder) {
                    found.unwrap();
                } else {
                    let message = format!("{:#}", found.unwrap_err());
                    assert!(message.contains("starts from the states of"), "{message}");
                }
            }
        }
    }

    /// Frames with a variance of zero, far below epsilon, near epsilon and above it. The worst error over 20
    /// networks is 0.018 of the range of the outputs; most of it comes from the layer before, whose
    /// activations have few units where they differ little.
    #[test]
    fn a_layer_normalization_of_any_variance_is_quantized() {
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
                assert!(errors[1].worst <= 0.0215 * errors[1].range, "{size}, seed {seed}: {:?}", errors[1]);
            }
        }
    }
}
