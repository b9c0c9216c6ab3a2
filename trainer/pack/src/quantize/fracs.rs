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

/// The fraction bits of the activations of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fracs {
    /// Those of the normalized inputs.
    pub input: u32,
    /// Those of all others.
    pub inner: u32,
}

/// The fraction bits from the best of which the search starts: for wide layers, for layers between, and for
/// narrow ones, whose sums have room for all bits.
const STARTS: [Fracs; 3] = [
    Fracs { input: 10, inner: 11 },
    Fracs { input: 13, inner: 12 },
    Fracs { input: MAX_INPUT_FRAC, inner: MAX_FRAC },
];
/// The limit of the calibration time steps on which fraction bits are compared.
const MAX_STEPS: usize = 2_048;

/// Returns the fraction bits with the least error of the output on calibration data, and their model. The
/// search goes to the better neighbor until there is none.
///
/// # Errors
/// The errors of `pack` if it has no scale for any of the fraction bits from which the search starts.
pub fn best(
    network: &Network<f32>,
    sequences: &[&[f32]],
    pack: &dyn Fn(Fracs) -> Result<Vec<u8>>,
) -> Result<Fracs> {
    let outputs = Outputs::new(network, &first_steps(sequences, MAX_STEPS * network.input_size));
    let mut known = HashMap::new();
    let mut error = |fracs: Fracs| -> Result<f64> {
        if let Some(&error) = known.get(&fracs) {
            return Ok(error);
        }
        let error = outputs.rms_error(&pack(fracs)?)?;
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

/// Returns the fraction bits with up to two bits more or less of one kind, or one of both.
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
    STEPS.into_iter().filter_map(move |(input, inner)| {
        let moved = Fracs {
            input: fracs.input.checked_add_signed(input)?,
            inner: fracs.inner.checked_add_signed(inner)?,
        };
        let fits = (MIN_FRAC..=MAX_INPUT_FRAC).contains(&moved.input)
            && (MIN_FRAC..=MAX_FRAC).contains(&moved.inner);
        fits.then_some(moved)
    })
}

/// Returns the first sequences with `values` values in all; the last of them may be cut.
fn first_steps<'a>(sequences: &[&'a [f32]], values: usize) -> Vec<&'a [f32]> {
    let mut left = values;
    let mut first = Vec::new();
    for sequence in sequences {
        let len = sequence.len().min(left);
        first.push(&sequence[..len]);
        left -= len;
    }
    first
}
