//! The distributions of the numbers in random integer layers.

use embedded_rnn::format::MIN_FRAC;
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

/// The maximum of the fraction bits of a cell state.
const MOST_FRAC: u8 = 29;

/// The distribution of the numbers in a layer.
#[derive(Clone, Copy, Debug)]
pub enum Numbers {
    /// Within the bounds of INTEGER.md.
    Bounded,
    /// Uniform over all bit patterns.
    Any,
    /// The limits of the type, whole rows of them.
    Ends,
}

impl Numbers {
    pub fn random(rng: &mut ChaCha8Rng) -> Self {
        *[Numbers::Bounded, Numbers::Any, Numbers::Ends].choose(rng).unwrap()
    }

    /// Draws a bias, or the offset of a feature.
    pub fn bias(self, rng: &mut ChaCha8Rng) -> i32 {
        match self {
            Numbers::Bounded => rng.random_range(-(1 << 29) + 1..1 << 29) >> rng.random_range(0..20),
            Numbers::Any => rng.random(),
            Numbers::Ends => *[i32::MIN, i32::MAX, -(1 << 29), (1 << 29) - 1, 0, -1].choose(rng).unwrap(),
        }
    }

    /// Draws the multiplier of a row, or of a feature.
    pub fn multiplier(self, rng: &mut ChaCha8Rng) -> i32 {
        match self {
            Numbers::Bounded => rng.random_range(0..1 << 30) >> rng.random_range(0..20),
            Numbers::Any => rng.random(),
            Numbers::Ends => *[i32::MIN, i32::MAX, (1 << 30) - 1, 0, 1, -1].choose(rng).unwrap(),
        }
    }

    /// Draws four weights of a row; its limit is `end`.
    pub fn weights(self, end: i8, rng: &mut ChaCha8Rng) -> u32 {
        match self {
            Numbers::Bounded => u32::from_le_bytes(rng.random::<[i8; 4]>().map(|w| w.max(-127) as u8)),
            Numbers::Any => rng.random(),
            Numbers::Ends => u32::from_le_bytes([end as u8; 4]),
        }
    }

    /// Draws the limit of a row of weights.
    pub fn end(rng: &mut ChaCha8Rng) -> i8 {
        *[-128, -127, 127].choose(rng).unwrap()
    }

    /// Draws the epsilon that is added to a variance, in its unit.
    pub fn epsilon(self, rng: &mut ChaCha8Rng) -> u64 {
        match self {
            Numbers::Bounded => rng.random_range(1..1 << 40) >> rng.random_range(0..40),
            Numbers::Any => rng.random(),
            Numbers::Ends => *[0, 1, u64::MAX, u64::MAX - 1].choose(rng).unwrap(),
        }
    }

    /// Draws the fraction bits of an activation, at most `most`.
    pub fn frac(self, most: u32, rng: &mut ChaCha8Rng) -> u8 {
        let fracs = MIN_FRAC as u8..=most as u8;
        match self {
            Numbers::Bounded | Numbers::Any => rng.random_range(fracs),
            Numbers::Ends => *[*fracs.start(), *fracs.end()].choose(rng).unwrap(),
        }
    }

    /// Draws the fraction bits of a cell state, at least `least`.
    pub fn cell_frac(self, least: u8, rng: &mut ChaCha8Rng) -> u8 {
        match self {
            Numbers::Ends => *[least, MOST_FRAC].choose(rng).unwrap(),
            _ => rng.random_range(least..=MOST_FRAC),
        }
    }

    /// Draws an input or a value of h.
    pub fn activation(self, rng: &mut ChaCha8Rng) -> i16 {
        match self {
            Numbers::Ends => *[i16::MIN, i16::MAX, 0, -1].choose(rng).unwrap(),
            _ => rng.random(),
        }
    }

    /// Draws a cell state. INTEGER.md bounds it by 2^30, but a saved state may exceed this.
    pub fn cell(self, rng: &mut ChaCha8Rng) -> i32 {
        match self {
            Numbers::Bounded => rng.random_range(-(1 << 30)..1 << 30),
            Numbers::Any => rng.random(),
            Numbers::Ends => *[i32::MIN, i32::MAX, -(1 << 30), (1 << 30) - 1, 0].choose(rng).unwrap(),
        }
    }
}
