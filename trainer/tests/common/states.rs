//! The states of a model, in the order of the network that it was packed from.

use std::ops::Range;

use embedded_rnn::{Kind, Model, Number, State};
use embedded_rnn_trainer::net::States;

use crate::files::is_cell;

/// Returns the index of each record with states, and its range in the list of all states: h, and c if there
/// is one. In this list the directions of a Bidirectional follow each other, as their records do.
pub fn places<N: Number>(model: &Model<'_, N>) -> Vec<(usize, Range<usize>)> {
    let mut at = 0;
    let recurrent = model.layers().iter().enumerate().filter(|(_, record)| is_cell(record));
    recurrent
        .map(|(place, record)| {
            let from = at;
            at += if record.kind == Kind::Lstm as u8 { 2 } else { 1 };
            (place, from..at)
        })
        .collect()
}

/// Sets the initial states of all layers.
pub fn begin<N: Number>(model: &Model<'_, N>, state: &mut State<'_, N>, initial: &States<f32>) {
    let all: Vec<&[f32]> = initial.iter().flatten().map(|state| state.as_slice()).collect();
    for (place, states) in places(model) {
        let [h, c] = [0, 1].map(|k| all[states.clone()].get(k).copied().unwrap_or_default());
        model.set_layer_state(state, place, h, c).unwrap();
    }
}
