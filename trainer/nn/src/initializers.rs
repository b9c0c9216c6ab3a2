//! Initial weights as in Keras, and the only source of random numbers.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::tensor::{Matrix, Real};

/// The purpose of a stream of random numbers: streams of one seed are independent of each other.
#[derive(Clone, Copy)]
pub enum Purpose {
    /// The initial weights.
    Weights = 1,
    /// The order of the sequences in an epoch.
    Shuffle = 2,
    /// The values that dropout removes in training.
    Dropout = 3,
    /// The sampling of autoregressive generation.
    Sample = 4,
    /// The choice of the sequences that are split off for validation.
    Split = 5,
}

/// Creates the stream for a purpose and an epoch (or layer). Streams are independent, so a resumed run does
/// not have to store the numbers that were drawn before.
pub fn stream(seed: u64, purpose: Purpose, index: u64) -> ChaCha8Rng {
    stream_of(seed, purpose, index, 0)
}

/// Creates a [`stream`] for one of several parts.
pub fn stream_of(seed: u64, purpose: Purpose, index: u64, part: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (part, value) in key.chunks_exact_mut(8).zip([seed, purpose as u64, index, part]) {
        part.copy_from_slice(&value.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// Draws uniformly from `+-sqrt(6 / (in + out))`, `[out x in]` (Glorot and Bengio, 2010). For a recurrent
/// layer `out` counts all gates, as in Keras.
pub fn glorot_uniform<T: Real>(out: usize, input: usize, rng: &mut ChaCha8Rng) -> Matrix<T> {
    let limit = (6.0 / (input + out) as f64).sqrt();
    Matrix::from_fn(out, input, |_, _| T::of(rng.random_range(-limit..limit)))
}

/// Draws orthonormal columns, `[rows x columns]` with `rows >= columns` (Saxe et al., 2014): the recurrent
/// kernel of all gates together, as in Keras.
pub fn orthogonal<T: Real>(rows: usize, columns: usize, rng: &mut ChaCha8Rng) -> Matrix<T> {
    let normal = Matrix::<f64>::from_fn(rows, columns, |_, _| StandardNormal.sample(rng));
    let (q, r) = normal.qr().unpack();
    // The signs of R make the distribution of the matrices uniform.
    Matrix::from_fn(rows, columns, |row, column| T::of(q[(row, column)] * r[(column, column)].signum()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orthogonal_columns_are_orthonormal() {
        let q: Matrix<f64> = orthogonal(20, 5, &mut stream(3, Purpose::Weights, 0));
        assert!((q.transpose() * &q - Matrix::identity(5, 5)).abs().max() < 1e-12);
    }

    #[test]
    fn glorot_stays_in_its_limits_and_fills_them() {
        let w: Matrix<f64> = glorot_uniform(40, 20, &mut stream(3, Purpose::Weights, 0));
        let limit = (6.0f64 / 60.0).sqrt();
        assert!(w.abs().max() <= limit && w.abs().max() > 0.98 * limit);
        assert!(w.mean().abs() < 0.02);
    }

    #[test]
    fn streams_differ_by_each_part() {
        let first = |seed, purpose, index| stream(seed, purpose, index).random::<u64>();
        let base = first(1, Purpose::Weights, 1);
        assert_eq!(base, first(1, Purpose::Weights, 1));
        assert_ne!(base, first(2, Purpose::Weights, 1));
        assert_ne!(base, first(1, Purpose::Shuffle, 1));
        assert_ne!(base, first(1, Purpose::Weights, 2));
    }
}
