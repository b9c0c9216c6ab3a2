//! An integer layer normalization compared with the formula in f64.

use embedded_rnn::format::{LayerRecord, MAX_FRAC, MAX_INPUT_FRAC};
use embedded_rnn::{Backend, I8, Kind};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::crafted::Place;
use crate::files::{Layer, file};
use crate::running::{model, ram};
use crate::variants::Variant;

/// Layers per number of features.
const LAYERS: u64 = 200;

/// A multiplier with which the output has 12 fraction bits: a normalized feature has 20, and the multiplier
/// has 29, of which `mulr` drops 32 and a linear unit 5.
const MULTIPLIER: i32 = 1 << 29;
/// The largest output.
const MOST: f64 = (1 << MAX_FRAC) as f64;
const UNIT: f64 = 1.0 / 4096.0;

/// Returns the normalized features of `x` in units of the output.
fn found(x: &[i16], epsilon: u64) -> Vec<i32> {
    let features = x.len() as u32;
    let layer = |kind: Kind, words: Vec<u32>| {
        let frac = if kind == Kind::Normalization { MAX_INPUT_FRAC } else { MAX_FRAC };
        let record = LayerRecord { frac: frac as u8, ..Variant::of_kind(kind).record::<I8>() };
        Layer { record: LayerRecord { input_size: features, units: features, ..record }, words }
    };
    let mut words = vec![MULTIPLIER as u32; x.len()];
    words.resize(2 * x.len(), 0);
    words.extend([epsilon as u32, (epsilon >> 32) as u32]);
    let layers = [layer(Kind::Normalization, vec![0; 2 * x.len()]), layer(Kind::LayerNormalization, words)];
    let file = file::<I8>(&layers, 0);
    let model = model::<I8>(&file, Backend::best());
    let mut ram = ram(&model, 0);
    model.step(&mut model.state(&mut ram).unwrap(), x).unwrap().to_vec()
}

/// Computes the same in f64. Epsilon is in units of 2^-16 of a squared input step.
fn expected(x: &[i16], epsilon: u64) -> Vec<f64> {
    let count = x.len() as f64;
    let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    let variance = x.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
    let deviation = (variance + epsilon as f64 / 65536.0).sqrt();
    x.iter().map(|&x| ((f64::from(x) - mean) / deviation / UNIT).clamp(-MOST, MOST)).collect()
}

/// Rounding is within half a unit; the worst is 0.81, by the 8 fraction bits of the mean.
#[test]
fn integers_are_normalized_by_the_formula() {
    let mut worst = 0f64;
    for features in [1, 2, 3, 4, 7, 32, 255, 4096] {
        for seed in 0..LAYERS.min(200_000 / features as u64) {
            let _place = Place((features, "seed", seed));
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            // Features around any mean, with any spread; sometimes only the first differs from the mean.
            let spread = rng.random_range(0..=16u32);
            let mean = rng.random_range(-32_768..=32_767i32);
            let only_first = rng.random_range(0..4) == 0;
            let mut any = |k: usize| {
                let d = if only_first && k > 0 { 0 } else { rng.random_range(-(1 << spread)..=1 << spread) };
                (mean + d).clamp(-32_768, 32_767) as i16
            };
            let x: Vec<i16> = (0..features).map(&mut any).collect();
            // Keras's 1e-3 is 2^24 or more if the range of the inputs is within +-64.
            let epsilon = 1u64 << rng.random_range(24..48);
            for (found, expected) in found(&x, epsilon).into_iter().zip(expected(&x, epsilon)) {
                worst = worst.max((f64::from(found) - expected).abs());
            }
        }
    }
    println!("worst: {worst:.3} units");
    assert!(worst < 0.97, "{worst}");
}
