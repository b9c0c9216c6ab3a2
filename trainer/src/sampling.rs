//! Sampling of a class by its probability, for autoregressive generation.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Samples a class `k` from the distribution `p_k^(1 / temperature) / sum_j p_j^(1 / temperature)`.
///
/// Temperature 1 samples from the probabilities themselves. Lower temperatures prefer the most probable
/// class, higher ones approach a uniform distribution over the classes with a probability above 0.
/// Temperature 0, a negative one and NaN return the most probable class, the first of equals, without a
/// number from `rng`.
///
/// The probabilities need not add up to 1. A class whose probability is NaN, 0 or negative is never returned,
/// and an infinite probability counts as the largest f32. If no class remains, the result is class 0.
pub fn sample(probabilities: &[f32], temperature: f64, rng: &mut ChaCha8Rng) -> usize {
    let mut best = None;
    for (class, logarithm) in logarithms(probabilities) {
        if best.is_none_or(|(_, largest)| logarithm > largest) {
            best = Some((class, logarithm));
        }
    }
    let Some((most_probable, largest)) = best else { return 0 };
    if temperature.is_nan() || temperature <= 0.0 {
        return most_probable;
    }
    // Relative to the most probable class, whose weight is 1: the sum is neither 0 nor infinite.
    let weight = |logarithm: f64| ((logarithm - largest) / temperature).exp();
    let sum: f64 = logarithms(probabilities).map(|(_, logarithm)| weight(logarithm)).sum();
    let mut rest = rng.random::<f64>() * sum;
    for (class, logarithm) in logarithms(probabilities) {
        rest -= weight(logarithm);
        if rest < 0.0 {
            return class;
        }
    }
    // Rounding may leave a rest above 0.
    most_probable
}

/// Returns the classes with a probability above 0, and the logarithm of each.
fn logarithms(probabilities: &[f32]) -> impl Iterator<Item = (usize, f64)> {
    let chances = probabilities.iter().enumerate().filter(|(_, p)| **p > 0.0);
    chances.map(|(class, &p)| (class, f64::from(p.min(f32::MAX)).ln()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_rnn_nn::initializers::{Purpose, stream};

    const DRAWS: usize = 100_000;

    /// Returns the frequency of each class among [`DRAWS`] samples.
    fn shares(probabilities: &[f32], temperature: f64, seed: u64) -> Vec<f64> {
        let mut rng = stream(seed, Purpose::Sample, 0);
        let mut counts = vec![0; probabilities.len()];
        (0..DRAWS).for_each(|_| counts[sample(probabilities, temperature, &mut rng)] += 1);
        counts.into_iter().map(|count| f64::from(count) / DRAWS as f64).collect()
    }

    /// The tolerance is five standard deviations: a correct sampler fails once in two million runs per class.
    #[test]
    fn classes_are_sampled_with_their_probabilities() {
        let probabilities = [0.5f32, 0.0, 0.3, 0.15, 0.05];
        for (seed, temperature) in [0.5, 0.8, 1.0, 1.5, 4.0].into_iter().enumerate() {
            let powers = probabilities.map(|p| f64::from(p).powf(1.0 / temperature));
            let sum: f64 = powers.iter().sum();
            let found = shares(&probabilities, temperature, seed as u64);
            for (share, chance) in found.iter().zip(powers.map(|power| power / sum)) {
                let deviation = (chance * (1.0 - chance) / DRAWS as f64).sqrt();
                assert!(
                    (share - chance).abs() <= 5.0 * deviation,
                    "temperature {temperature}: {share}, not {chance}"
                );
            }
        }
    }

    #[test]
    fn temperature_zero_returns_the_most_probable_class_without_random_numbers() {
        let mut rng = stream(1, Purpose::Sample, 0);
        let before = rng.clone();
        for temperature in [0.0, -0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
            assert_eq!(sample(&[0.2, 0.4, 0.4, 0.0], temperature, &mut rng), 1);
        }
        assert_eq!(rng, before);
    }

    #[test]
    fn extreme_temperatures_approach_the_most_probable_class_and_a_uniform_distribution() {
        for tiny in [f64::from_bits(1), f64::MIN_POSITIVE, 1e-3] {
            assert_eq!(shares(&[0.3, 0.4, 0.3], tiny, 1), [0.0, 1.0, 0.0]);
        }
        for huge in [1e9, f64::MAX, f64::INFINITY] {
            let found = shares(&[1e-30, 0.0, 1.0, f32::from_bits(1)], huge, 2);
            assert_eq!(found[1], 0.0);
            // Five standard deviations.
            assert!([0, 2, 3].iter().all(|&class| (found[class] - 1.0 / 3.0).abs() < 0.0075), "{found:?}");
        }
    }

    #[test]
    fn invalid_probabilities_are_never_sampled() {
        let nan = f32::NAN;
        assert_eq!(shares(&[nan, 0.0, -1.0, 0.25, f32::NEG_INFINITY], 1.0, 3), [0.0, 0.0, 0.0, 1.0, 0.0]);
        assert_eq!(shares(&[nan, 1.0, f32::INFINITY, f32::MAX], 1.0, 4)[1], 0.0);
        let halves = shares(&[nan, 1.0, f32::INFINITY, f32::MAX], 1.0, 5);
        assert!((halves[2] - 0.5).abs() < 0.008 && (halves[3] - 0.5).abs() < 0.008, "{halves:?}");
        let tiny = f32::from_bits(1);
        let halves = shares(&[tiny, 0.0, tiny], 1.0, 6);
        assert!((halves[0] - 0.5).abs() < 0.008 && halves[1] == 0.0, "{halves:?}");
        let mut rng = stream(7, Purpose::Sample, 0);
        for nothing in [&[][..], &[0.0; 4], &[nan; 4], &[-1.0, nan]] {
            assert_eq!((sample(nothing, 1.0, &mut rng), sample(nothing, 0.0, &mut rng)), (0, 0));
        }
    }

    #[test]
    fn a_seed_reproduces_the_classes() {
        let draw = |seed| -> Vec<usize> {
            let mut rng = stream(seed, Purpose::Sample, 0);
            (0..50).map(|_| sample(&[0.25; 4], 1.0, &mut rng)).collect()
        };
        assert_eq!(draw(8), draw(8));
        assert_ne!(draw(8), draw(9));
    }
}
