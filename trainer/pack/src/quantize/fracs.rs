//! The fraction bits of the activations of an integer model.
//!
//! A row's sum has 32 bits for its weights, its activations and the number of its inputs together. So fewer
//! bits of the activations leave more for the weights of wide layers, and the input's bits decide how its
//! weights share a row's bytes with those of the state. What is best for a network is measured.

use std::collections::HashMap;

use anyhow::Result;
use embedded_rnn::format::{MAX_FRAC, MAX_INPUT_FRAC, MIN_FRAC};
use embedded_rnn_nn::net::Network;

use super::errors::Outputs;

/// The fraction bits of the activations of a model, and the scales of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fracs {
    /// Those of the normalized inputs.
    pub input: u32,
    /// Those of all others.
    pub inner: u32,
    /// `true` if inputs and states may have separate scales, which takes more time than one.
    pub separate: bool,
}

/// The fraction bits from the best of which the search starts: for wide layers, for layers between, and for
/// narrow ones, whose sums have room for all bits.
const STARTS: [Fracs; 3] = [
    Fracs { input: 10, inner: 11, separate: false },
    Fracs { input: 13, inner: 12, separate: false },
    Fracs { input: MAX_INPUT_FRAC, inner: MAX_FRAC, separate: false },
];
/// The limit of the calibration time steps on which fraction bits are compared.
const MAX_STEPS: usize = 5_120;
/// The factor of the error with separate scales: the error that they must avoid to be worth their time.
const SEPARATE_COST: f64 = 1.25;
/// The limit of the time steps of a part of a sequence among these.
const MAX_PART: usize = 512;

/// Returns the fraction bits and scales with the least error of the output on calibration data. The search
/// goes to the better neighbor until there is none.
///
/// # Errors
/// The errors of `pack` if it has no scale for any of the fraction bits from which the search starts.
pub fn best(
    network: &Network<f32>,
    sequences: &[&[f32]],
    pack: &dyn Fn(Fracs) -> Result<Vec<u8>>,
) -> Result<Fracs> {
    let outputs = Outputs::new(network, &sample(sequences, network.input_size));
    let mut known = HashMap::new();
    let mut error = |fracs: Fracs| -> Result<f64> {
        if let Some(&error) = known.get(&fracs) {
            return Ok(error);
        }
        let error = outputs.rms_error(&pack(fracs)?)? * if fracs.separate { SEPARATE_COST } else { 1.0 };
        known.insert(fracs, error);
        Ok(error)
    };
    let mut start: Result<(Fracs, f64)> = error(STARTS[0]).map(|error| (STARTS[0], error));
    for fracs in &STARTS[1..] {
        let Ok(error) = error(*fracs) else { continue };
        if start.as_ref().map_or(true, |(_, least)| error < *least) {
            start = Ok((*fracs, error));
        }
    }
    let (mut found, mut least) = start?;
    loop {
        let before = found;
        for neighbor in neighbors(before) {
            // Fraction bits for which a layer has no scale are no candidates.
            let error = error(neighbor).unwrap_or(f64::INFINITY);
            if error < least {
                (found, least) = (neighbor, error);
            }
        }
        if found == before {
            return Ok(found);
        }
    }
}

/// Returns the fraction bits with up to two bits more or less of one kind, or one of both, and the same with
/// the other scales.
fn neighbors(fracs: Fracs) -> impl Iterator<Item = Fracs> {
    const STEPS: [(i32, i32); 12] = [
        (1, 0),
        (-1, 0),
        (0, 1),
        (0, -1),
        (1, 1),
        (-1, -1),
        (1, -1),
        (-1, 1),
        (2, 0),
        (-2, 0),
        (0, 2),
        (0, -2),
    ];
    let moved = STEPS.into_iter().filter_map(move |(input, inner)| {
        let moved = Fracs {
            input: fracs.input.checked_add_signed(input)?,
            inner: fracs.inner.checked_add_signed(inner)?,
            ..fracs
        };
        let fits = (MIN_FRAC..=MAX_INPUT_FRAC).contains(&moved.input)
            && (MIN_FRAC..=MAX_FRAC).contains(&moved.inner);
        fits.then_some(moved)
    });
    moved.chain([Fracs { separate: !fracs.separate, ..fracs }])
}

/// Returns parts of the sequences, spread evenly over all of their time steps.
fn sample<'a>(sequences: &[&'a [f32]], input_size: usize) -> Vec<&'a [f32]> {
    let parts: Vec<&[f32]> =
        sequences.iter().flat_map(|sequence| sequence.chunks(MAX_PART * input_size.max(1))).collect();
    let values: usize = parts.iter().map(|part| part.len()).sum();
    let every = (values / input_size.max(1)).div_ceil(MAX_STEPS).max(1);
    parts.into_iter().step_by(every).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_spread_over_all_time_steps() {
        let (long, short) = (vec![0.0; 3 * 10 * MAX_PART], vec![1.0; 3 * 5]);
        assert_eq!(sample(&[&short, &short], 3), [&short[..], &short]);
        let many = vec![&long[..]; 4];
        let found = sample(&many, 3);
        assert_eq!(found.len(), MAX_STEPS / MAX_PART);
        assert!(found.iter().all(|part| part.len() == 3 * MAX_PART));
        assert!(sample(&[], 3).is_empty());
    }
}
