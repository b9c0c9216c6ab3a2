//! Activations of wide pre-activations: they match the narrow ones in the range of the tables, and models
//! with large inputs use them.

use embedded_rnn::format::{Activation, LayerRecord, RETURN_SEQUENCES};
use embedded_rnn::{Backend, I8, Kind};
use embedded_rnn_trainer::pack::{AlignedBytes, random_cell};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::crafted::Place;
use crate::files::{Layer, file, layers_of};
use crate::in_8_bits::in_8_bits;
use crate::running::{Session, model, ram, steps};
use crate::variants::{self, Variant};

const TANH: u8 = Activation::TanhWide as u8;
const SIGMOID: u8 = Activation::SigmoidWide as u8;

/// Returns the code of the narrow activation; `None` if this one is not wide.
fn narrow(code: u8) -> Option<u8> {
    match code {
        TANH => Some(Activation::Tanh as u8),
        SIGMOID => Some(Activation::Sigmoid as u8),
        _ => None,
    }
}

/// Units per block.
const UNITS: u32 = 4;
const ROWS: usize = 4;

/// Returns the parts of the blocks of [`UNITS`] units: per row, whether it belongs to a gate with the
/// recurrent activation (`None` without a bias), and the number of sides. The last part of a GRU, which r
/// multiplies, has no bias.
fn parts(kind: Kind) -> Vec<([Option<bool>; ROWS], usize)> {
    let (gate, value) = ([Some(true); ROWS], [Some(false); ROWS]);
    match kind {
        Kind::Dense => vec![(value, 1)],
        Kind::SimpleRnn => vec![(value, 2)],
        Kind::Lstm => vec![([Some(true), Some(true), Some(false), Some(true)], 2); UNITS as usize],
        Kind::Gru => vec![(gate, 2), (gate, 2), (value, 1), ([None; ROWS], 1)],
        Kind::GruResetBefore => vec![(gate, 2), (gate, 2), (value, 2)],
        kind => panic!("no pre-activations in {kind:?}"),
    }
}

/// Returns a layer whose pre-activations are its biases, wide where its activations are, and the same layer
/// with narrow ones.
fn both(variant: Variant, rng: &mut ChaCha8Rng) -> [Layer; 2] {
    let LayerRecord { activation, recurrent_activation, .. } = variant.record::<I8>();
    let flags = if variant.is_cell() { RETURN_SEQUENCES } else { 0 };
    let cell_frac = if variant.kind() == Kind::Lstm { 24 } else { 0 };
    let wide = LayerRecord { units: UNITS, flags, cell_frac, ..variant.record::<I8>() };
    let narrow_record = LayerRecord {
        activation: narrow(activation).unwrap_or(activation),
        recurrent_activation: narrow(recurrent_activation).unwrap_or(recurrent_activation),
        ..wide
    };
    let mut words = [Vec::new(), Vec::new()];
    for (rows, sides) in parts(variant.kind()) {
        for gate in rows {
            // Values in the range of the tables and far beyond it, in steps of 2^-12.
            let bias = if gate.is_some() { rng.random::<i32>() >> rng.random_range(3..20) } else { 0 };
            let code = if gate == Some(true) { recurrent_activation } else { activation };
            let same = if narrow(code).is_some() { bias.clamp(-(1 << 15), (1 << 15) - 1) << 4 } else { bias };
            words[0].push((bias << 2) as u32);
            words[1].push((same << 2) as u32);
        }
        // The weights of one quad per side, and multipliers of 1/4.
        for words in &mut words {
            words.extend(vec![0; sides * ROWS]);
            words.extend([1 << 30; ROWS]);
        }
    }
    let [wide_words, narrow_words] = words;
    [Layer { record: wide, words: wide_words }, Layer { record: narrow_record, words: narrow_words }]
}

/// Returns the outputs of three time steps of a layer, as the last one or not.
fn outputs(layer: &Layer, last: bool, backend: Backend) -> Vec<i32> {
    let framewise = |kind, features: u32, words| Layer {
        record: LayerRecord {
            input_size: features,
            units: features,
            ..Variant::of_kind(kind).record::<I8>()
        },
        words,
    };
    let mut layers = vec![framewise(Kind::Normalization, 1, vec![0; 2]), layer.clone()];
    if !last {
        // `y = x`: mulr(x << (30 - frac), 2^21) has the fraction bits of a linear unit.
        let factors = [vec![1 << 21; UNITS as usize], vec![0; UNITS as usize]].concat();
        layers.push(framewise(Kind::BatchNormalization, UNITS, factors));
    }
    let file = file::<I8>(&layers, 0);
    let model = model::<I8>(&file, backend);
    let mut ram = ram(&model, 0);
    steps(&model, &mut model.state(&mut ram).unwrap(), &[0; 3])
}

#[test]
fn wide_activations_match_narrow_ones() {
    let is_wide = |variant: &&Variant| {
        [variant.activation, variant.recurrent_activation].into_iter().any(|code| narrow(code).is_some())
    };
    let all = variants::all::<I8>();
    let mut covered = 0;
    for &variant in all.iter().filter(is_wide) {
        for seed in 0..50 {
            let _place = Place((variant, "seed", seed));
            let [wide, narrow] = both(variant, &mut ChaCha8Rng::seed_from_u64(seed));
            for last in [false, true] {
                for backend in Backend::all() {
                    assert_eq!(outputs(&wide, last, backend), outputs(&narrow, last, backend));
                }
            }
        }
        covered += 1;
    }
    assert_eq!(covered, 2 + 2 + 3 * (2 * 4 + 4));
}

/// Bound of the error of 12 fraction bits and integer arithmetic, in addition to that of 8-bit weights. The
/// worst is 2.12e-3.
const TOLERANCE: f64 = 2.55e-3;

/// Models whose inputs are like ranks of words: most pre-activations are small, and the largest are in the
/// thousands.
#[test]
fn inputs_in_the_thousands_have_an_integer_form() {
    const LARGEST: i32 = 16_383;
    let mut worst = 0f64;
    for (cell, options) in [
        ("LSTM", ""),
        ("LSTM", "activation = 'sigmoid'"),
        ("GRU", ""),
        ("GRU", "reset_after = false"),
        ("SimpleRNN", ""),
        ("SimpleRNN", "activation = 'sigmoid'"),
    ] {
        for seed in 0..20 {
            let _place = Place((cell, options, seed));
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let (network, _) = random_cell((cell, options), (1, 6), 1, seed).unwrap();
            // Multiples of the unit of an input, so that none is rounded; the last one determines the scale.
            let unit = 4f32;
            let mut frames: Vec<f32> = (0..60).map(|_| rng.random_range(-2..=2) as f32 * unit).collect();
            frames.push(LARGEST as f32 * unit);
            let bytes = AlignedBytes::new(&I8::pack(&network, &[&frames]).unwrap());
            let record = layers_of::<I8>(&bytes)[1].record;
            let is_wide = [record.activation, record.recurrent_activation].map(|code| narrow(code).is_some());
            assert_eq!(is_wide, [true, cell != "SimpleRNN"]);
            let model = model::<I8>(&bytes, Backend::best());
            let mut ram = ram(&model, 0);
            let xs = I8::inputs(&model, &frames);
            let found = steps(&model, &mut model.state(&mut ram).unwrap(), &xs);
            let golden =
                in_8_bits(&network, &bytes).predict(&frames.iter().map(|&x| x.into()).collect::<Vec<f64>>());
            for (y, golden) in found.iter().zip(golden) {
                worst = worst.max((f64::from(*y) * f64::from(model.output_scale()) - golden).abs());
            }
        }
    }
    println!("worst: {worst:.2e}");
    assert!(worst < TOLERANCE, "{worst:e}");
}
