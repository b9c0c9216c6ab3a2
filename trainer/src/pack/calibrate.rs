//! The ranges that integers need to know, found by running the network on inputs as they will be met.

use anyhow::{Result, ensure};

use crate::data::Sequences;
use crate::net::Network;
use crate::reference::Signal;

/// The largest magnitudes met in one layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranges {
    /// Of what comes in.
    pub input: f32,
    /// Of what goes out.
    pub output: f32,
    /// Of each state, as `Cell::states` names them.
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
    let mut all = vec![Ranges::default(); network.layers.len()];
    let mut frames = 0;
    for sequence in sequences {
        frames += sequence.len() / network.input_size;
        network.predict_tapped(sequence, &[], &mut |layer, signal, values| {
            let ranges = &mut all[layer];
            let slot = match signal {
                Signal::Input => &mut ranges.input,
                Signal::Output => &mut ranges.output,
                Signal::Sums => return,
                Signal::State(k) => {
                    ranges.states.resize(ranges.states.len().max(k + 1), 0.0);
                    &mut ranges.states[k]
                }
            };
            *slot = values.iter().fold(*slot, |max, v| max.max(v.abs()));
        });
    }
    ensure!(frames > 0, "calibration: no frames");
    Ok(all)
}
