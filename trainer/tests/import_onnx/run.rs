//! Models over sequences, from states that are given.

use std::ops::Range;

use embedded_rnn::{Backend, F32, Kind, Model};
use embedded_rnn_trainer::pack::AlignedBytes;

/// The answers to a sequence, and the final states: layer by layer h, and c if there is one.
pub struct Found {
    pub output: Vec<f32>,
    pub states: Vec<Vec<f32>>,
}

/// The layers that have states, and which of all states are theirs.
fn places(model: &Model<'_, F32>) -> Vec<(usize, Range<usize>)> {
    let mut at = 0;
    let mut places = Vec::new();
    for (place, record) in model.layers().iter().enumerate() {
        let is = |kind| record.kind == kind as u8;
        let count = if is(Kind::Lstm) {
            2
        } else if [Kind::SimpleRnn, Kind::Gru, Kind::GruResetBefore].into_iter().any(is) {
            1
        } else {
            continue;
        };
        places.push((place, at..at + count));
        at += count;
    }
    places
}

/// Runs a model on a backend over all frames; from zeros if no states are given.
pub fn run(file: &[u8], backend: Backend, frames: &[f32], initial: Option<&[Vec<f32>]>) -> Found {
    let model = Model::<F32>::new(file).unwrap().with_backend(backend);
    let steps = frames.len() / model.input_size();
    let preamble = model.preamble();
    let mut ram = AlignedBytes::zeroed((preamble.ram_needed + preamble.ram_per_step * steps as u32) as usize);
    let mut state = model.state(&mut ram).unwrap();
    let places = places(&model);
    if let Some(initial) = initial {
        assert_eq!(places.last().map(|(_, states)| states.end), Some(initial.len()));
        for (place, states) in &places {
            let c = if states.len() > 1 { &initial[states.start + 1][..] } else { &[] };
            model.set_layer_state(&mut state, *place, &initial[states.start], c).unwrap();
        }
    }
    let mut output = vec![0.0; model.run_output_len(steps)];
    model.run(&mut state, frames, &mut output).unwrap();
    let mut states = Vec::new();
    for (place, own) in places {
        let units = model.layers()[place].units();
        let [mut h, mut c] = [vec![0.0; units], vec![0.0; if own.len() > 1 { units } else { 0 }]];
        model.layer_state(&state, place, &mut h, &mut c).unwrap();
        states.push(h);
        states.extend(Some(c).filter(|c| !c.is_empty()));
    }
    Found { output, states }
}
