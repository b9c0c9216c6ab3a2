//! Drawing a class by its probability: what a network that writes one step after another goes on with.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Draws a class, the chance of each being its probability to the power `1 / temperature`, made to add up to 1.
///
/// At temperature 1 the chances are the probabilities. The lower it is, the more the likeliest class is preferred, and the
/// higher, the more alike are the chances of all classes that have any. At 0 (and for what is no temperature: negative
/// numbers and NaN) the likeliest class is the answer, the first of equals, and nothing is drawn from `rng`.
///
/// A probability that is NaN or not above 0 is no chance, an infinite one counts as the largest f32; they need not add up to
/// 1. If no class has a chance, the answer is class 0.
pub fn sample(probabilities: &[f32], temperature: f64, rng: &mut ChaCha8Rng) -> usize {
    let mut best = None;
    for (class, logarithm) in logarithms(probabilities) {
        if best.is_none_or(|(_, most)| logarithm > most) {
            best = Some((class, logarithm));
        }
    }
    let Some((likeliest, most)) = best else { return 0 };
    if temperature.is_nan() || temperature <= 0.0 {
        return likeliest;
    }
    // Relative to the likeliest, whose weight is 1: no sum of these is 0 or infinite.
    let weight = |logarithm: f64| ((logarithm - most) / temperature).exp();
    let sum: f64 = logarithms(probabilities).map(|(_, logarithm)| weight(logarithm)).sum();
    let mut rest = rng.random::<f64>() * sum;
    for (class, logarithm) in logarithms(probabilities) {
        rest -= weight(logarithm);
        if rest < 0.0 {
            return class;
        }
    }
    // Roundings may leave a little of the sum.
    likeliest
}

/// The classes that have a chance, and the logarithm of each probability.
fn logarithms(probabilities: &[f32]) -> impl Iterator<Item = (usize, f64)> {
    let chances = probabilities.iter().enumerate().filter(|(_, p)| **p > 0.0);
    chances.map(|(class, &p)| (class, f64::from(p.min(f32::MAX)).ln()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_rnn_nn::initializers::{Purpose, stream};

    const DRAWS: usize = 100_000;

    /// How often each class is drawn, as a share, with a seed.
    fn shares(probabilities: &[f32], temperature: f64, seed: u64) -> Vec<f64> {
        let mut rng = stream(seed, Purpose::Sample, 0);
        let mut counts = vec![0; probabilities.len()];
        (0..DRAWS).for_each(|_| counts[sample(probabilities, temperature, &mut rng)] += 1);
        counts.into_iter().map(|count| f64::from(count) / DRAWS as f64).collect()
    }

    /// Within five standard deviations of `p^(1/T) / sum`: by chance that fails once in two million times a class.
    #[test]
    fn classes_are_drawn_as_often_as_their_probabilities_say() {
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
    fn no_temperature_is_the_likeliest_class_and_draws_nothing() {
        let mut rng = stream(1, Purpose::Sample, 0);
        let before = rng.clone();
        for temperature in [0.0, -0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
            assert_eq!(sample(&[0.2, 0.4, 0.4, 0.0], temperature, &mut rng), 1);
        }
        assert_eq!(rng, before);
    }

    #[test]
    fn extreme_temperatures_end_at_the_likeliest_class_and_at_equal_chances() {
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
    fn what_is_no_probability_has_no_chance() {
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
    fn a_seed_gives_the_same_classes_again() {
        let draw = |seed| -> Vec<usize> {
            let mut rng = stream(seed, Purpose::Sample, 0);
            (0..50).map(|_| sample(&[0.25; 4], 1.0, &mut rng)).collect()
        };
        assert_eq!(draw(8), draw(8));
        assert_ne!(draw(8), draw(9));
    }
}
