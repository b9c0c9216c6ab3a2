//! Calibration: runs the float network over calibration data and records the largest magnitude of the inputs,
//! pre-activations, states and outputs of each layer. The units of the integers follow from these ranges.

use anyhow::{Result, ensure};

use embedded_rnn_nn::data::Sequences;
use embedded_rnn_nn::export::Ranges;
use embedded_rnn_nn::layers::{Layer, Signal};
use embedded_rnn_nn::net::Network;

/// Limit of the sequences of a data set that are run for calibration.
const MAX_SEQUENCES: usize = 512;

/// Returns the sequences to calibrate on, spread evenly over the data set: files often are sorted by class.
pub fn sample(sequences: &Sequences) -> Vec<&[f32]> {
    let every = sequences.len().div_ceil(MAX_SEQUENCES).max(1);
    (0..sequences.len()).step_by(every).map(|s| sequences.get(s)).collect()
}

/// Limit of the time steps that a decoder generates per source during calibration. The decoder runs as on a
/// device: each generated class is its next input.
pub const MAX_GENERATED: usize = 64;

/// Runs every sequence and returns the ranges of each layer; those of a decoder follow those of the encoder.
/// A recurrent layer of the decoder starts from the state of its counterpart in the encoder, so both get the
/// larger range.
///
/// # Errors
/// Sequences without frames.
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
        let generated: Vec<f32> =
            network.decode(sequence, MAX_GENERATED).iter().map(|&id| id as f32).collect();
        network.predict_observed(sequence, &generated, &mut |layer, signal, values| {
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
        merge_states(network, &mut all);
    }
    Ok(all)
}

/// Sets the ranges of each recurrent layer of the encoder and of its counterpart in the decoder, by order, to
/// the larger of the two.
fn merge_states(network: &Network<f32>, all: &mut [Ranges]) {
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
