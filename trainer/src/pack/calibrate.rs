//! The ranges that integers need to know, found by running the network on inputs as they will be met.

use anyhow::{Result, ensure};

use super::parts::Parts;
use crate::data::Sequences;
use crate::layers::Kind;
use crate::net::Network;
use crate::reference::Signal;

/// The largest magnitudes met in one layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranges {
    /// Of what comes in.
    pub input: f32,
    /// Of what goes out.
    pub output: f32,
    /// Of the sums of each gate; one for a layer without gates.
    pub sums: Vec<f32>,
    /// Of each state, as `Cell::states` names them; of a bidirectional layer those of both directions.
    pub states: Vec<f32>,
}

/// The most sequences of a data set that ranges are taken from.
const SAMPLE: usize = 512;

/// Sequences to calibrate on. Evenly from all of them: files often have their classes in order.
pub fn sample(sequences: &Sequences) -> Vec<&[f32]> {
    let every = sequences.len().div_ceil(SAMPLE).max(1);
    (0..sequences.len()).step_by(every).map(|s| sequences.get(s)).collect()
}

/// Runs every sequence and gives the ranges of each layer.
pub fn calibrate<'a>(
    network: &Network<f32>,
    sequences: impl Iterator<Item = &'a [f32]>,
) -> Result<Vec<Ranges>> {
    let gates: Vec<usize> = network.layers.iter().map(|layer| gates(&layer.kind)).collect();
    let mut all: Vec<Ranges> =
        gates.iter().map(|&gates| Ranges { sums: vec![0.0; gates], ..Ranges::default() }).collect();
    let mut frames = 0;
    for sequence in sequences {
        frames += sequence.len() / network.input_size;
        network.predict_tapped(sequence, &mut |layer, signal, values| {
            let ranges = &mut all[layer];
            match signal {
                Signal::Input => raise(&mut ranges.input, values),
                Signal::Output => raise(&mut ranges.output, values),
                Signal::Sums => {
                    let units = (values.len() / gates[layer].max(1)).max(1);
                    ranges.sums.iter_mut().zip(values.chunks(units)).for_each(|(r, v)| raise(r, v));
                }
                Signal::State(k) => {
                    ranges.states.resize(ranges.states.len().max(k + 1), 0.0);
                    raise(&mut ranges.states[k], values);
                }
            }
        });
    }
    ensure!(frames > 0, "calibration: no frames");
    Ok(all)
}

fn raise(range: &mut f32, values: &[f32]) {
    *range = values.iter().fold(*range, |max, v| max.max(v.abs()));
}

fn gates(kind: &Kind<f32>) -> usize {
    match kind {
        Kind::Dense(_) => 1,
        Kind::Recurrent(layer) => Parts::recurrent(layer).form.gates.len(),
        Kind::Bidirectional(layer) => Parts::recurrent(&layer.forward).form.gates.len(),
        _ => 0,
    }
}
