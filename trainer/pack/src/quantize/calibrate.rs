//! The ranges that integers need to know, found by running the network on inputs as they will be met.

use anyhow::{Result, ensure};

use embedded_rnn_nn::data::Sequences;
use embedded_rnn_nn::export::Ranges;
use embedded_rnn_nn::layers::{Layer, Signal};
use embedded_rnn_nn::net::Network;

/// The most sequences of a data set that ranges are taken from.
const SAMPLE: usize = 512;

/// Sequences to calibrate on. Evenly from all of them: files often have their classes in order.
pub fn sample(sequences: &Sequences) -> Vec<&[f32]> {
    let every = sequences.len().div_ceil(SAMPLE).max(1);
    (0..sequences.len()).step_by(every).map(|s| sequences.get(s)).collect()
}

/// The most that a decoder writes for a sequence: it is run as it will be, on what it writes itself.
pub const LONGEST: usize = 64;

/// Runs every sequence and gives the ranges of each layer, those of a decoder after the others. The recurrent layers of an
/// encoder and of its decoder hand on their states, so that what one meets counts for both.
pub fn calibrate<'a>(
    network: &Network<f32>,
    sequences: impl Iterator<Item = &'a [f32]>,
) -> Result<Vec<Ranges>> {
    let gates: Vec<usize> = network.all_layers().map(|layer| layer.kind.gates()).collect();
    let mut all: Vec<Ranges> = gates
        .iter()
        .map(|&gates| Ranges { pre_activations: vec![0.0; gates], ..Ranges::default() })
        .collect();
    let mut frames = 0;
    for sequence in sequences {
        frames += sequence.len() / network.input_size;
        let written: Vec<f32> = network.decode(sequence, LONGEST).iter().map(|&id| id as f32).collect();
        network.predict_observed(sequence, &written, &mut |layer, signal, values| {
            let ranges = &mut all[layer];
            match signal {
                Signal::Input => {
                    raise(&mut ranges.input, values);
                    ranges.fractions |= values.iter().any(|v| v.fract() != 0.0);
                }
                Signal::Output => raise(&mut ranges.output, values),
                Signal::PreActivations => {
                    let units = (values.len() / gates[layer].max(1)).max(1);
                    ranges
                        .pre_activations
                        .iter_mut()
                        .zip(values.chunks(units))
                        .for_each(|(r, v)| raise(r, v));
                }
                Signal::State(k) => {
                    ranges.states.resize(ranges.states.len().max(k + 1), 0.0);
                    raise(&mut ranges.states[k], values);
                }
            }
        });
    }
    ensure!(frames > 0, "calibration: no frames");
    if network.decoder.is_some() {
        share(network, &mut all);
    }
    Ok(all)
}

/// Gives the recurrent layers of an encoder and of its decoder, first to first, the larger range of both.
fn share(network: &Network<f32>, all: &mut [Ranges]) {
    let recurrent = |layers: &[Layer<f32>], before: usize| -> Vec<usize> {
        let is = |layer: &Layer<f32>| !layer.kind.get().states().is_empty();
        (0..layers.len()).filter(|&k| is(&layers[k])).map(|k| before + k).collect()
    };
    let Some(decoder) = &network.decoder else { return };
    let of_encoder = recurrent(&network.layers, 0);
    for (e, d) in of_encoder.into_iter().zip(recurrent(&decoder.layers, network.layers.len())) {
        let (encoder, decoder) = (all[e].clone(), all[d].clone());
        let larger = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a.max(*b)).collect();
        for ranges in [e, d] {
            all[ranges].output = encoder.output.max(decoder.output);
            all[ranges].pre_activations = larger(&encoder.pre_activations, &decoder.pre_activations);
            all[ranges].states = larger(&encoder.states, &decoder.states);
        }
    }
}

fn raise(range: &mut f32, values: &[f32]) {
    *range = values.iter().fold(*range, |max, v| max.max(v.abs()));
}
